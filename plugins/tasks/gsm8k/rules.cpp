#include "rules.h"

#include "qed/tags.h"
#include "qed/unicode.h"

namespace gsm8k {

namespace {

constexpr std::string_view kDigits = "0123456789.,";
constexpr std::string_view kHashes = "#### ";

std::string without(std::string_view text, std::string_view chars) {
  std::string out;
  for (const char c : text) {
    if (chars.find(c) == chars.npos) out += c;
  }
  return out;
}

// `\-?[0-9.,]+` at the front of `text`; empty when it does not match.
std::string_view number_at(std::string_view text) {
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  const auto end = std::min(text.find_first_not_of(kDigits, sign), text.size());
  return end > sign ? text.substr(0, end) : std::string_view();
}

}  // namespace

std::string_view last_300(std::string_view text) {
  std::string_view before = text;
  for (int i = 0; i < 300 && !before.empty(); ++i) qed::last_char(before);
  return text.substr(before.size());
}

std::optional<std::string> after_hashes(std::string_view text, Which which) {
  const bool is_first = which == Which::kFirst;
  auto at = is_first ? text.find(kHashes) : text.rfind(kHashes);
  while (at != text.npos) {
    const auto number = number_at(text.substr(at + kHashes.size()));
    if (!number.empty()) return without(number, ",$");
    if (!is_first && at == 0) break;
    at = is_first ? text.find(kHashes, at + 1) : text.rfind(kHashes, at - 1);
  }
  return std::nullopt;
}

std::optional<std::string> last_number(std::string_view text) {
  bool is_any = false;
  for (;;) {
    const auto last = text.find_last_of(kDigits);
    if (last == text.npos) break;
    is_any = true;
    const auto before = text.find_last_not_of(kDigits, last);  // npos: the number begins the text
    const std::size_t begin = before == text.npos ? 0 : text[before] == '-' ? before : before + 1;
    const std::string_view number = text.substr(begin, last + 1 - begin);
    if (number != ".") return std::string(number);
    text = text.substr(0, begin);
  }
  return is_any ? std::optional<std::string>(".") : std::nullopt;
}

std::string_view in_answer_tag(std::string_view text) {
  text = qed::after_last(text, "<answer>").value_or(text);
  return qed::strip(qed::before_first(text, "</answer>"));
}

std::optional<std::string_view> answer_part(std::string_view text) {
  text = qed::after_last(text, "</think>").value_or(text);
  if (text.find("<answer>") != text.npos || text.find("</answer>") != text.npos) {
    if (!qed::is_once(text, "<answer>") || !qed::is_once(text, "</answer>")) return std::nullopt;
    return qed::first_between(text, "<answer>", "</answer>");
  }
  if (const auto after = qed::after_first(text, "####")) {
    if (after->find("####") != after->npos) return std::nullopt;
    return after;
  }
  text = qed::strip(text);
  return qed::after_last(text, "\n").value_or(text);
}

std::optional<std::string> gold_answer(std::string_view solution) {
  const auto after = qed::after_last(solution, "####");
  if (!after) return std::nullopt;
  return without(qed::strip(*after), ",$");
}

}  // namespace gsm8k
