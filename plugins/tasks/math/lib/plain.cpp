#include "plain.h"

#include "words.h"

#include <algorithm>

namespace math {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Digits with points and commas inside, and spaces between groups of three.
std::size_t number_width(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_digit(text[at])) {
      ++at;
      continue;
    }
    const bool is_inner =
        (text[at] == '.' || text[at] == ',') && at + 1 < text.size() && is_digit(text[at + 1]);
    std::size_t digits = 0;
    while (at + 1 + digits < text.size() && is_digit(text[at + 1 + digits])) ++digits;
    const bool is_gap = text[at] == ' ' && digits == 3 && at > 0;
    if (!is_inner && !is_gap) break;
    ++at;
  }
  return at;
}

// Where a number stands.
struct Span {
  std::size_t begin, end;
  bool is_plain, is_in_word = false;
};

// The number that begins at `at`.
Span number_at(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  std::size_t end = at + number_width(text.substr(at));
  if (begin > 0 && text[begin - 1] == '.') --begin;
  if (end < text.size() && text[end] == '/' && end + 1 < text.size() && is_digit(text[end + 1])) {
    end += 1 + number_width(text.substr(end + 1));
  }
  const bool is_in_word = begin > 0 && (is_letter(text[begin - 1]) || text[begin - 1] == '_');
  if (begin > 0 && (text[begin - 1] == '-' || text[begin - 1] == '+')) {
    const bool is_sign =
        begin < 2 || std::string_view(" =:([{$\n").find(text[begin - 2]) != std::string_view::npos;
    const bool is_binary = begin >= 3 && is_digit(text[begin - 3]);
    if (is_sign && !is_binary) --begin;
  }
  return {begin, end, true, is_in_word};
}

std::optional<Span> fraction_at(std::string_view text, std::size_t at) {
  std::size_t end = at + 5;
  for (int i = 0; i < 2; ++i) {
    if (end >= text.size() || text[end] != '{') return std::nullopt;
    const auto width = text.substr(end, 40).find('}');
    if (width == text.npos) return std::nullopt;
    end += width + 1;
  }
  if (at > 0 && text[at - 1] == '-') --at;
  return Span{at, end, false};
}

template <class Use>
void each_number(std::string_view text, Use use) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '\\' && text.substr(at).starts_with("\\frac{")) {
      if (auto found = fraction_at(text, at)) {
        at = found->end;
        if (!use(*found)) return;
        continue;
      }
    }
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    const Span found = number_at(text, at);
    at = std::max(found.end, at + 1);
    if (!found.is_in_word && !use(found)) return;
  }
}

std::optional<Candidate> candidate(std::string_view text, const std::optional<Span>& span) {
  if (!span) return std::nullopt;
  return Candidate{.text = std::string(text.substr(span->begin, span->end - span->begin)),
                   .is_plain = span->is_plain,
                   .begin = span->begin,
                   .end = span->end};
}

}  // namespace

std::optional<Candidate> first_number(std::string_view text) {
  std::optional<Span> out;
  each_number(text, [&](const Span& found) {
    out = found;
    return false;
  });
  return candidate(text, out);
}

std::optional<Candidate> last_number(std::string_view text) {
  std::optional<Span> out;
  each_number(text, [&](const Span& found) {
    out = found;
    return true;
  });
  return candidate(text, out);
}

bool is_formula_like(std::string_view text, std::size_t max_words) {
  std::size_t num_words = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && i + 1 < text.size() && text[i + 1] == '\n') return false;
    if (!is_letter(text[i])) continue;
    std::size_t end = i;
    while (end < text.size() && is_letter(text[end])) ++end;
    const std::string_view word = text.substr(i, end - i);
    const bool is_command = i > 0 && text[i - 1] == '\\';
    const bool is_joined =
        i > 0 && is_digit(text[i - 1]) && word.size() == 3 && word.starts_with("or");
    if (is_command && (is_prose(word) || word == "begin" || word == "end" || is_font(word))) {
      end = std::min(text.find('}', end), text.size());  // its words are no prose
    } else if (!is_command && !is_joined && word.size() > 2 && word_meaning(word) == nullptr &&
               !is_unit(word)) {
      ++num_words;
    }
    i = end;
  }
  return num_words <= max_words;
}

bool is_number_like(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return is_digit(c) || c == '.' || c == ',' || c == ' ' || c == '-' || c == '+';
  });
}

std::string without_marks(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view two = text.substr(i, 2);
    if (text[i] == '\\' && two.size() == 2) {
      const bool is_mark = two == "\\(" || two == "\\)" || two == "\\[" || two == "\\]";
      out += is_mark ? " " : two;
      ++i;
    } else if (text[i] == '$') {
      out += ' ';
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace math
