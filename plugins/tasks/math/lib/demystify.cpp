#include "demystify.h"

#include "qed/tags.h"
#include "qed/unicode.h"

#include "edits.h"
#include "rules.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace math {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view kBox = "\\boxed{";

bool is_equal(std::string_view answer, std::string_view gold) {
  const auto a = hendrycks_form(answer, Script::kDemystify);
  const auto b = hendrycks_form(gold, Script::kDemystify);
  return a && b ? *a == *b : answer == gold;
}

// The content of a box; what is no \boxed stays as it is.
std::string_view unboxed(std::string_view box) {
  if (!box.starts_with(kBox) || !box.ends_with('}')) return box;
  return box.substr(kBox.size(), box.size() - kBox.size() - 1);
}

bool has_equal_box(std::string_view text, std::string_view gold) {
  const auto box = last_box(text);
  return box && is_equal(unboxed(*box), gold);
}

// A formula's sides: $ that is not escaped, and the \ of \].
std::vector<std::size_t> marks_of_formulas(std::string_view text) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dollar = text[i] == '$' && (i == 0 || text[i - 1] != '\\');
    if (is_dollar || text.substr(i).starts_with("\\]")) out.push_back(i);
  }
  return out;
}

// What re.sub(r"(frac)([^{])(.)", r"frac{\2}{\3}") and the like do: braces around the `n`
// characters behind each `word` that no brace follows.
std::string with_braces(std::string_view text, std::string_view word, int n) {
  std::string out;
  for (auto at = text.find(word); at != npos; at = text.find(word)) {
    out.append(text, 0, at + word.size());
    text.remove_prefix(at + word.size());
    std::string braced;
    std::string_view rest = text;
    int left = text.starts_with('{') ? 0 : n;
    for (; left > 0 && !rest.empty(); --left) {
      const std::string_view from = rest;
      qed::next_char(rest);
      braced.append("{").append(from, 0, from.size() - rest.size()).append("}");
    }
    if (left > 0) continue;
    out += braced;
    text = rest;
  }
  return out.append(text);
}

// \boxed{...} up to the last brace of the text.
void unwrap_to_the_last_brace(std::string& text) {
  const auto open = text.find(kBox);
  const auto close = text.rfind('}');
  if (open == npos || close == npos || close < open + kBox.size()) return;
  text.erase(close, 1).erase(open, kBox.size());
}

// The answer in a piece of text, by the rule of Minerva as OpenCompass has it.
std::string final_answer(std::string_view piece) {
  std::string text(piece);
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"an ", ""},
                                 {"a ", ""},
                                 {".$", "$"},
                                 {"\\$", ""},
                                 {"$$", "$"},
                                 {"\\ ", ""},
                                 {"mbox", "text"},
                                 {",\\text{and}", ","},
                                 {"\\text{and}", ","},
                                 {"\\text{m}", "\\text{}"},
                                 {"\\le", "<"}}) {
    replace_all(text, from, to);
  }
  drop_words(text, true);
  for (const std::string_view line_end : {"\n", "\r", "\f"}) replace_all(text, line_end, "");
  for (const std::string_view command : {"\\text{", "\\textbf{", "\\overline{"}) {
    unwrap(text, command);
  }
  unwrap_to_the_last_brace(text);
  if (const auto rest = qed::after_first(text, "finalansweris")) text = std::string(*rest);
  if (const auto box = qed::last_between(text, "oxed{", "}")) text = std::string(*box);
  if (const auto formula = qed::last_between(text, "$", "$")) text = std::string(*formula);
  text = std::string(qed::strip(text));
  if (text.find("\\frac") == text.npos) replace_all(text, "rac", "\\frac");
  text = with_braces(with_braces(text, "frac", 2), "sqrt", 1);
  replace_all(text, "$", "");
  std::string digits = text;
  replace_all(digits, ",", "");
  return qed::is_digits(digits) ? digits : text;
}

// Of the first sentence, or the first that speaks of targets.
std::string final_answer_of_text(std::string_view text) {
  const std::vector<std::string> sentences = split(text, ".");
  for (const std::string& sentence : sentences) {
    if (qed::lower(sentence).find("targets") != npos) return final_answer(sentence);
  }
  return final_answer(sentences.front());
}

// \boxed{(.+)} up to the last brace of the line of the first such box. A line's first box decides:
// that brace is no further from a later one.
std::string_view box_of_line(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto at = line.find(kBox), close = line.rfind('}');
    const std::size_t begin = at + kBox.size();
    if (at != npos && close != npos && close > begin) return line.substr(begin, close - begin);
  }
  return {};
}

// MetaMath's: what follows "the answer is:". Nothing where its script fails.
std::optional<std::string_view> behind_the_answer_is(std::string_view text,
                                                     std::string_view lower) {
  constexpr std::string_view kPrefix = "the answer is:";
  const auto at = lower.find(kPrefix);
  if (at == npos) return std::nullopt;
  for (std::size_t n = qed::length(lower.substr(0, at)) + kPrefix.size(); n > 0 && !text.empty();
       --n) {
    qed::next_char(text);
  }
  text = qed::strip(text);
  if (text.ends_with('.')) text.remove_suffix(1);
  for (const auto& [open, close] :
       {std::pair<std::string_view, std::string_view>{"\\(", "\\)"}, {"$$", "$$"}}) {
    if (!text.starts_with(open) || !text.ends_with(close)) continue;
    text = text.size() < 4 ? std::string_view() : text.substr(2, text.size() - 4);
  }
  if (text.starts_with('$')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  if (text.ends_with('$')) text.remove_suffix(1);
  return qed::strip(text);
}

}  // namespace

bool demystify_right(std::string_view gold_text, std::string_view completion) {
  const auto gold_box = last_box(gold_text);
  const std::string_view gold = gold_box ? unboxed(*gold_box) : gold_text;
  std::string_view answer = completion;
  if (const std::vector<std::size_t> marks = marks_of_formulas(completion); marks.size() > 1) {
    const std::size_t begin = marks[marks.size() - 2] + 1;
    answer = completion.substr(begin, marks.back() - begin);
  }
  answer = qed::after_last(answer, "=").value_or(answer);
  if (is_equal(answer, gold) || has_equal_box(answer, gold)) return true;
  if (is_equal(box_of_line(completion), gold)) return true;
  const std::string lower = qed::lower(completion);
  const auto spoken = qed::after_last(lower, "answer is");
  if (has_equal_box(final_answer_of_text(spoken.value_or(completion)), gold)) return true;
  return is_equal(behind_the_answer_is(completion, lower).value_or("ANSWER_NOT_FOUND"), gold);
}

}  // namespace math
