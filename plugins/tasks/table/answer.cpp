#include "answer.h"

#include "qed/rational.h"
#include "qed/tags.h"
#include "qed/unicode.h"

#include <algorithm>
#include <cctype>

namespace {

constexpr auto npos = std::string_view::npos;

// The end of the braces that open at `open`, or npos.
std::size_t closing_brace(std::string_view text, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;  // an escaped brace is none
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i;
    }
  }
  return npos;
}

std::string_view last_line(std::string_view text) {
  text = qed::strip(text);
  const auto end = text.rfind('\n');
  return end == npos ? text : qed::strip(text.substr(end + 1));
}

std::string one_space(std::string_view text) {
  std::string out;
  for (auto word = qed::next_word(text); !word.empty(); word = qed::next_word(text)) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

// The number without what is read over: "-$1,234.50 %" becomes "-1234.50".
std::string plain_number(std::string_view text) {
  std::string out;
  for (const char c : qed::strip(text)) {
    if (c != ',' && c != '$' && c != '%' && c != ' ') out += c;
  }
  if (out.ends_with('.')) out.pop_back();
  return out;
}

// "-0012.50" as "-12.5": one text per value, for decimals of any length; nothing for what is none.
std::optional<std::string> canonical_decimal(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const auto point = text.find('.');
  std::string_view whole = text.substr(0, point);
  std::string_view part = point == npos ? "" : text.substr(point + 1);
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (whole.empty() && part.empty()) return std::nullopt;
  if (!std::ranges::all_of(whole, is_digit) || !std::ranges::all_of(part, is_digit)) {
    return std::nullopt;
  }
  while (whole.starts_with('0')) whole.remove_prefix(1);
  while (part.ends_with('0')) part.remove_suffix(1);
  std::string out = is_negative && !(whole.empty() && part.empty()) ? "-" : "";
  return ((out += whole) += '.') += part;
}

}  // namespace

std::optional<std::string_view> last_boxed(std::string_view text) {
  constexpr std::string_view kBoxed = "\\boxed{";
  const auto at = text.rfind(kBoxed);
  if (at == npos) return std::nullopt;
  const auto open = at + kBoxed.size() - 1;
  const auto close = closing_brace(text, open);
  if (close == npos) return std::nullopt;
  return text.substr(open + 1, close - open - 1);
}

std::optional<std::string_view> find_answer(std::string_view text, const AnswerPlace& place) {
  std::optional<std::string_view> found = text;
  if (place.where == "tag") {
    found = qed::last_between(text, "<" + place.tag + ">", "</" + place.tag + ">");
  } else if (place.where == "boxed") {
    found = last_boxed(text);
  } else if (place.where == "last_line") {
    found = last_line(text);
  }
  if (!found) return std::nullopt;
  found = qed::strip(*found);
  return found->empty() ? std::nullopt : found;
}

bool equals_text(std::string_view answer, std::string_view gold, bool ignore_case) {
  std::string a = one_space(answer), b = one_space(gold);
  if (ignore_case) a = qed::lower(a), b = qed::lower(b);
  return a == b;
}

bool equals_number(std::string_view answer, std::string_view gold) {
  const std::string a = plain_number(answer), b = plain_number(gold);
  const auto x = qed::Rational::parse(a), y = qed::Rational::parse(b);
  if (x && y) return *x == *y;
  if (x || y) return false;  // only one fits 64 bits
  const auto p = canonical_decimal(a), q = canonical_decimal(b);
  return p && q && *p == *q;
}

char choice_letter(std::string_view text) {
  text = qed::strip(text);
  const bool is_open = text.starts_with('(');
  if (is_open) text.remove_prefix(1);
  if (text.empty()) return 0;
  const auto c = static_cast<unsigned char>(text.front());
  const std::string_view rest = text.substr(1);
  if (std::isdigit(c) != 0 && !is_open && rest.empty()) return static_cast<char>('A' + (c - '0'));
  if (std::isalpha(c) == 0) return 0;
  const bool is_alone = rest.empty() || std::string_view(").:, \n").find(rest.front()) != npos;
  return is_alone ? static_cast<char>(std::toupper(c)) : '\0';
}
