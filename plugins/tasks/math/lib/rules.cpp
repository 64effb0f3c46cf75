#include "rules.h"

#include "qed/unicode.h"

#include "edits.h"
#include "plain.h"

#include <algorithm>
#include <vector>

namespace math {

namespace {

constexpr auto npos = std::string_view::npos;

// Bytes of the first character of a text that is not empty.
std::size_t char_size(std::string_view text) {
  std::string_view rest = text;
  qed::next_char(rest);
  return text.size() - rest.size();
}

// \frac12 with braces. Nothing where \frac ends the text.
std::optional<std::string> with_braces_of_fractions(const std::string& text) {
  const std::vector<std::string> parts = split(text, "\\frac");
  std::string out = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    out += "\\frac";
    if (part.empty()) return std::nullopt;
    if (part[0] == '{') {
      out += part;
      continue;
    }
    const std::size_t first = char_size(part);
    if (part.size() <= first) return text;
    out += "{" + part.substr(0, first) + "}";
    const std::size_t second = part[first] == '{' ? 0 : char_size(part.substr(first));
    if (second > 0) out += "{" + part.substr(first, second) + "}";
    out += part.substr(first + second);
  }
  return out;
}

std::optional<std::string> with_braces_of_roots(const std::string& text) {
  const std::vector<std::string> parts = split(text, "\\sqrt");
  std::string out = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty()) return std::nullopt;
    const std::size_t first = parts[i][0] == '{' ? 0 : char_size(parts[i]);
    out += "\\sqrt";
    if (first > 0) out += "{" + parts[i].substr(0, first) + "}";
    out += parts[i].substr(first);
  }
  return out;
}

// A whole number as Python writes it.
bool is_plain_whole(std::string_view text) {
  if (text == "0") return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text[0] != '0' &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::string> as_fraction(const std::string& text, Script script) {
  const std::vector<std::string> parts = split(text, "/");
  if (parts.size() != 2) return text;
  if (is_plain_whole(parts[0]) && is_plain_whole(parts[1])) {
    return "\\frac{" + parts[0] + "}{" + parts[1] + "}";
  }
  const bool are_whole = qed::canonical_int(parts[0]) && qed::canonical_int(parts[1]);
  if (script == Script::kDemystify && !are_whole) return std::nullopt;
  return text;
}

// 12,000 without the comma, and (7) without parentheses.
std::string without_marks_of_demystify(std::string text) {
  std::string digits = text;
  replace_all(digits, ",", "");
  if (qed::is_digits(digits)) text = digits;
  const bool is_bracketed = text.size() >= 2 && text.front() == '(' && text.back() == ')';
  return is_bracketed ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

std::optional<std::string> hendrycks_form(std::string_view answer, Script script) {
  std::string text(answer);
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"\n", ""},
                                 {"\\!", ""},
                                 {"\\\\", "\\"},
                                 {"tfrac", "frac"},
                                 {"dfrac", "frac"},
                                 {"\\left", ""},
                                 {"\\right", ""},
                                 {"^{\\circ}", ""},
                                 {"^\\circ", ""},
                                 {"\\$", ""}}) {
    replace_all(text, from, to);
  }
  if (const std::vector<std::string> parts = split(text, "\\text{ "); parts.size() > 1) {
    if (parts.size() != 2) return std::nullopt;
    text = parts[0];
  }
  replace_all(text, "\\%", "");
  replace_all(text, " .", " 0.");
  replace_all(text, "{.", "{0.");
  if (script == Script::kDemystify) text = without_marks_of_demystify(std::move(text));
  if (text.empty()) return text;
  if (text[0] == '.') text.insert(0, "0");
  if (const std::vector<std::string> sides = split(text, "=");
      sides.size() == 2 && qed::length(sides[0]) <= 2) {
    text = sides[1];
  }
  const auto roots = with_braces_of_roots(text);
  if (!roots) return std::nullopt;
  text = *roots;
  replace_all(text, " ", "");
  const auto fractions = with_braces_of_fractions(text);
  if (!fractions) return std::nullopt;
  text = *fractions;
  if (text == "0.5") text = "\\frac{1}{2}";
  return as_fraction(text, script);
}

std::optional<std::string_view> last_box(std::string_view text) {
  auto at = text.rfind("\\boxed");
  if (at == npos) at = text.rfind("\\fbox");
  if (at == npos) return std::nullopt;
  std::ptrdiff_t depth = 0;
  for (std::size_t i = at; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return text.substr(at, i + 1 - at);
  }
  return std::nullopt;
}

std::optional<std::string> hendrycks_boxed(std::string_view text) {
  constexpr std::string_view kSpaced = "\\boxed ", kOpen = "\\boxed{";
  if (const auto at = text.rfind(kSpaced); at != npos) {
    const std::string_view rest = text.substr(at + kSpaced.size());
    return std::string(rest.substr(0, rest.find('$')));
  }
  const auto box = last_box(text);
  if (!box || !box->starts_with(kOpen)) return std::nullopt;
  return std::string(box->substr(kOpen.size(), box->size() - kOpen.size() - 1));
}

std::string dapo_form(std::string_view answer) {
  std::string text(answer);
  if (const auto equal = text.rfind('='); equal != npos) text.erase(0, equal + 1);
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"an ", ""},
                                 {"a ", ""},
                                 {".$", "$"},
                                 {"\\$", ""},
                                 {"\\ ", ""},
                                 {" ", ""},
                                 {"mbox", "text"},
                                 {",\\text{and}", ","},
                                 {"\\text{and}", ","},
                                 {"\\text{m}", "\\text{}"}}) {
    replace_all(text, from, to);
  }
  drop_words(text, false);
  if (const auto open = text.find('$'); open != npos) {
    const auto close = text.find('$', open + 1);
    if (close != npos) text = text.substr(open, close + 1 - open);
  }
  for (const std::string_view command : {"\\text{", "\\textbf{", "\\overline{"}) {
    unwrap(text, command);
  }
  if (const auto box = text.find("\\boxed{"); box != npos) {
    const auto close = text.rfind('}');
    if (close != npos && close > box) text = text.substr(box + 7, close - box - 7);
  }
  if (const auto fractions = with_braces_of_fractions(text)) text = *fractions;
  if (const auto roots = with_braces_of_roots(text)) text = *roots;
  replace_all(text, "$", "");
  std::string digits = text;
  replace_all(digits, ",", "");
  const bool is_number =
      !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  const auto begin = text.find_first_not_of(" \n\t"), end = text.find_last_not_of(" \n\t");
  if (is_number) return digits;
  return begin == npos ? "" : text.substr(begin, end + 1 - begin);
}

bool same_by_rule(Rule rule, std::string_view gold, std::string_view answer) {
  if (rule == Rule::kDapo) return dapo_form(gold) == dapo_form(answer);
  const auto a = hendrycks_form(gold), b = hendrycks_form(answer);
  return a && b ? *a == *b : gold == answer;
}

}  // namespace math
