#include "rules.h"

#include "python_eval.h"
#include "strict.h"

#include "qed/tags.h"
#include "qed/unicode.h"

#include <algorithm>
#include <string>

namespace countdown {
namespace {

constexpr std::string_view kOpen = "<answer>", kClose = "</answer>";
constexpr double kTolerance = 1e-5;

// ^[\d+\-*/().\s]+$
bool has_plain_characters(std::string_view equation) {
  if (equation.empty()) return false;
  while (!equation.empty()) {
    const char32_t c = qed::next_char(equation);
    const bool is_symbol = c >= '(' && c <= '/' && c != ',';
    if (!is_symbol && qed::decimal(c) < 0 && !qed::is_space(c)) return false;
  }
  return true;
}

enum class Value { kError, kWrong, kRight };

// abs(eval(equation) - target) < 1e-5; kError where Python raises an exception. What Python would
// not finish is wrong.
Value compare(std::string_view equation, const Puzzle& puzzle, bool as_floats) {
  const Outcome outcome = evaluate(equation);
  if (outcome.event == Event::kTooBig) return Value::kWrong;
  if (outcome.event == Event::kError || (puzzle.target_is_text && !as_floats)) return Value::kError;
  Arithmetic math;
  Number result = outcome.value, target = puzzle.target;
  if (as_floats) {
    result = Number::real(math.to_float(result));
    target = Number::real(math.to_float(target));
  }
  const Number difference = math.binary("-", result, target);
  if (math.event() == Event::kError) return Value::kError;
  return math.event() == Event::kNone && math.is_smaller(difference, kTolerance) ? Value::kRight
                                                                                 : Value::kWrong;
}

// What follows the header; all of it where the template writes none.
std::optional<std::string_view> tinyzero_solution(std::string_view text, bool has_header) {
  auto solution = qed::after_first(text, "Assistant:");
  if (!solution) solution = qed::after_first(text, "<|im_start|>assistant");
  if (!solution && !has_header) solution = text;
  return solution;
}

// The rule reads the last line. Where that is in the completion, and the header in the prompt, the
// prompt need not be read.
bool has_all_in_completion(const qed::Sample& sample) {
  return sample.text.find('\n') != sample.text.npos && qed::contains(sample.prompt, "Assistant:");
}

Mark tinyzero(Rule rule, const Scores& scores, const Puzzle& puzzle,
              std::optional<std::string_view> solution) {
  if (!solution) return {.note = "no header"};
  const std::string_view line = solution->substr(solution->rfind('\n') + 1);  // npos + 1 is 0
  const auto match = qed::last_between(line, kOpen, kClose, qed::Dot::kLine);
  if (!match) return {.note = "no answer"};
  const std::string_view equation = qed::strip(*match);

  const bool is_shaped = rule != Rule::kTinyZero;
  const bool pays_overlap = rule == Rule::kLevel3 || rule == Rule::kLevel4;
  const Usage numbers = usage(equation, puzzle, pays_overlap);
  if (!numbers.is_exact) {
    const double extra = pays_overlap ? 0.4 * numbers.overlap : 0;
    return {.reward = scores.format + extra, .format = true, .note = "other numbers"};
  }
  Mark out = {.format = true, .numbers = true};
  const Value value =
      has_plain_characters(equation) ? compare(equation, puzzle, false) : Value::kError;
  out.correct = value == Value::kRight;
  out.note = out.correct ? "right" : value == Value::kWrong ? "wrong value" : "no value";
  const double wrong = rule == Rule::kLevel4 && value == Value::kWrong ? 0.1 + 0.4 + 0.2 : 0.5;
  out.reward = out.correct ? scores.right : is_shaped ? wrong : scores.format;
  return out;
}

// ^<think>([^<]*(?:<(?!/?think>)[^<]*)*)<\/think>\n<answer>([\s\S]*?)<\/answer>$
bool has_mini_r1_format(std::string_view completion) {
  constexpr std::string_view kMiddle = "</think>\n<answer>";
  const auto end_of_thought = completion.find("</think>");
  if (end_of_thought == completion.npos || completion.find("<think>") < end_of_thought)
    return false;
  std::string_view rest = completion.substr(end_of_thought);
  if (!rest.starts_with(kMiddle)) return false;
  rest.remove_prefix(kMiddle.size());
  return rest.ends_with(kClose) || rest.ends_with("</answer>\n");
}

Mark mini_r1(Rule rule, const Scores& scores, const Puzzle& puzzle, std::string_view completion) {
  Mark out = {.format = has_mini_r1_format(completion)};
  const auto match = qed::first_between(completion, kOpen, kClose, qed::Dot::kLine);
  const std::string_view equation = qed::strip(match.value_or(""));
  out.note = match ? "other numbers" : "no answer";
  if (match && usage(equation, puzzle).is_exact) {
    out.numbers = true;
    out.correct =
        has_plain_characters(equation) && compare(equation, puzzle, true) == Value::kRight;
    out.note = out.correct ? "right" : "wrong value";
  }
  if (rule != Rule::kMiniR1Equation && out.format) out.reward += scores.right;
  if (rule != Rule::kMiniR1Format && out.correct) out.reward += scores.right;
  return out;
}

// <think>(.*?)</think>\s*<answer>(.*?)</answer>, searched, with DOTALL: the second group.
std::optional<std::string_view> ragen_answer(std::string_view text) {
  const auto open = text.find("<think>");
  if (open == text.npos) return std::nullopt;
  text.remove_prefix(open);
  while (const auto after = qed::after_first(text, "</think>")) {
    text = *after;
    const std::string_view next = qed::strip_left(text);
    if (!next.starts_with(kOpen)) continue;
    const std::string_view answer = next.substr(kOpen.size());
    const auto end = answer.find(kClose);
    if (end == answer.npos) return std::nullopt;
    return answer.substr(0, end);
  }
  return std::nullopt;
}

// text.replace(tag, "").
void remove_all(std::string& text, std::string_view tag) {
  if (text.find(tag) == text.npos) return;
  std::string out;
  std::string_view rest = text;
  while (const auto after = qed::after_first(rest, tag)) {
    out += qed::before_first(rest, tag);
    rest = *after;
  }
  text = out += rest;
}

// The first action of the turn; a completion without any tag is the action itself.
std::optional<std::string_view> ragen_action(std::string_view text, std::string& buffer) {
  if (text.find("<think>") == text.npos && text.find(kOpen) == text.npos) return text;
  const auto answer = ragen_answer(text);
  if (!answer) return std::nullopt;
  buffer = *answer;
  for (const std::string_view tag :
       {"<think>", "</think>", "<answer>", "</answer>", "<|im_start|>", "<|im_end|>"}) {
    remove_all(buffer, tag);
  }
  std::string_view rest = buffer;
  while (!rest.empty()) {
    const std::string_view action = qed::strip(qed::before_first(rest, "||"));
    if (!action.empty()) return action;
    rest = qed::after_first(rest, "||").value_or("");
  }
  return std::nullopt;
}

Mark ragen(const Scores& scores, const Puzzle& puzzle, const qed::Sample& sample) {
  constexpr double kNoAction = -0.1;
  std::string text(sample.prefill), buffer;
  const auto action = ragen_action(text += sample.text, buffer);
  if (!action) return {.reward = kNoAction, .note = "no action"};
  if (!usage(*action, puzzle).is_exact) return {.format = true, .note = "other numbers"};
  Mark out = {.format = true, .numbers = true};
  out.correct = compare(*action, puzzle, false) == Value::kRight;
  out.reward = out.correct ? scores.right : scores.format;
  out.note = out.correct ? "right" : "wrong value";
  return out;
}

Mark strict(const Scores& scores, const Puzzle& puzzle, const qed::Sample& sample) {
  if (sample.finish != qed::Finish::kStop) return {.note = "no end token"};
  const std::size_t prefix = sample.prefill.size();
  std::string buffer;
  std::string_view text = sample.text;
  if (prefix > 0) text = buffer.append(sample.prefill).append(sample.text);
  const auto parts = qed::think_answer(text);
  const auto is_blank = [](std::string_view s) { return qed::strip(s).empty(); };
  if (!parts || !is_blank(parts->between) || !is_blank(parts->after) ||
      !is_blank(parts->before.substr(std::min(prefix, parts->before.size())))) {
    return {.note = "bad format"};
  }
  const StrictResult result = check_equation(qed::strip(parts->answer), puzzle);
  Mark out = {.format = true};
  out.correct = result == StrictResult::kRight;
  out.numbers = out.correct || result == StrictResult::kWrongValue;
  out.reward = out.correct ? scores.right : scores.format;
  out.note = describe(result);
  return out;
}

}  // namespace

Rule rule_of(std::string_view name) {
  return static_cast<Rule>(std::find(std::begin(kRules), std::end(kRules), name) -
                           std::begin(kRules));
}

bool sees_special_tokens(Rule rule) { return rule >= Rule::kTinyZero && rule <= Rule::kLevel4; }

Mark mark(Rule rule, const Scores& scores, const qed::Sample& sample, bool has_header) {
  const Puzzle puzzle = parse_puzzle(sample.item.blob);
  if (rule == Rule::kStrict) return strict(scores, puzzle, sample);
  if (rule == Rule::kRagen) return ragen(scores, puzzle, sample);
  if (sees_special_tokens(rule)) {
    if (has_all_in_completion(sample)) return tinyzero(rule, scores, puzzle, sample.text);
    std::string buffer;
    const std::string_view text =
        qed::whole_text(sample.prompt, sample.prefill, sample.text, buffer);
    return tinyzero(rule, scores, puzzle, tinyzero_solution(text, has_header));
  }
  return mini_r1(rule, scores, puzzle, sample.text);
}

}  // namespace countdown
