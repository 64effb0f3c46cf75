#include "rewards.h"

#include "qed/tags.h"
#include "qed/unicode.h"

#include "lib/extract.h"
#include "lib/rules.h"

#include <algorithm>

namespace maths {

namespace {

constexpr std::string_view kThink = "<think>", kEndThink = "</think>";
constexpr std::string_view kAnswer = "<answer>", kEndAnswer = "</answer>";

// DeepScaleR and understand-r1-zero take what one of two graders takes: MATH's script ("mathd"),
// and one on sympy.
constexpr std::array kSchemes = {
    Scheme{.name = "plain", .verifiers = {"strict"}},
    Scheme{.name = "simplerl_v0",
           .verifiers = {"simplerl_v0"},
           .part = Part::kUntilStop,
           .form = Form::kBoxedWord,
           .bare_right = -1,
           .wrong = -0.5,
           .bare_wrong = -1},
    Scheme{.name = "simplerl_v1", .verifiers = {"simplerl_v1"}, .part = Part::kQwen},
    Scheme{.name = "simplerl_v1_independent",
           .verifiers = {"simplerl_v1"},
           .part = Part::kQwen,
           .form = Form::kClosedBox,
           .bare_right = 0.5,
           .wrong = -0.5,
           .bare_wrong = -1},
    Scheme{.name = "simplerl_v1_first",
           .verifiers = {"simplerl_v0"},
           .part = Part::kUntilStop,
           .form = Form::kClosedBox,
           .bare_right = -1,
           .wrong = -0.5,
           .bare_wrong = -1},
    Scheme{.name = "open_r1", .verifiers = {"open_r1"}},
    Scheme{.name = "deepscaler", .verifiers = {"hendrycks", "deepscaler"}, .part = Part::kThought},
    Scheme{.name = "r1_zero",
           .verifiers = {"hendrycks", "deepscaler", "math_verify"},
           .part = Part::kTag,
           .needs_end = true},
    Scheme{.name = "r1_zero_boxed",
           .verifiers = {"hendrycks", "deepscaler", "math_verify"},
           .part = Part::kBox,
           .needs_end = true},
    Scheme{.name = "demystify", .verifiers = {}, .part = Part::kDemystify},
    Scheme{.name = "unsloth", .verifiers = {}, .part = Part::kUnsloth},
};

std::string_view until_stop(std::string_view text) {
  for (const std::string_view stop : {"</s>", "<|im_end|>", "<|endoftext|>"}) {
    const auto at = text.find(stop);
    if (at != text.npos) text = qed::strip(text.substr(0, at));
  }
  return text;
}

Reading nothing() { return {.text = {}, .is_there = false}; }

Reading answer(std::string_view text) { return {.text = std::string(text), .is_answer = true}; }

Reading in_last_box(std::string_view text) {
  constexpr std::string_view kOpen = "\\boxed{";
  const auto box = math::last_box(text);
  if (!box || !box->starts_with(kOpen)) return nothing();
  return answer(box->substr(kOpen.size(), box->size() - kOpen.size() - 1));
}

Reading in_tag(std::string_view text) {
  if (text.find("</think> <answer>") == text.npos || text.find(kEndAnswer) == text.npos) {
    return nothing();
  }
  std::string rest;
  for (std::string_view from = *qed::after_last(text, kAnswer); !from.empty();) {
    const auto at = std::min(from.find(kEndAnswer), from.size());
    rest += from.substr(0, at);
    from.remove_prefix(std::min(at + kEndAnswer.size(), from.size()));
  }
  return rest.find("\\boxed") == rest.npos ? answer(rest) : in_last_box(rest);
}

Reading behind_thought(const qed::Sample& sample) {
  std::string buffer;
  const std::string_view text = qed::whole_text(sample.prompt, sample.prefill, sample.text, buffer);
  if (!qed::contains(text, kThink)) return nothing();
  const auto rest = qed::after_first(text, kEndThink);
  return rest ? in_last_box(qed::before_first(*rest, kEndThink)) : nothing();
}

}  // namespace

const Scheme& scheme(std::string_view name) {
  const auto* const at = std::ranges::find(kSchemes, name, &Scheme::name);
  if (at == kSchemes.end()) {
    throw qed::Error("there is no reward `" + std::string(name) + "`", QED_INVALID);
  }
  return *at;
}

Reading read_part(Part part, const qed::Sample& sample) {
  if (part == Part::kThought) return behind_thought(sample);
  std::string text = std::string(sample.prefill).append(sample.text);
  switch (part) {
    case Part::kTag:
      return in_tag(text);
    case Part::kBox:
      return in_last_box(text);
    case Part::kUntilStop:
      return {.text = std::string(until_stop(text))};
    case Part::kQwen: {
      const auto found = math::find_answers(until_stop(text), *math::preset("qwen"));
      return found.empty() ? nothing() : answer(found.front().text);
    }
    default:
      return {.text = std::move(text)};
  }
}

bool has_form(Form form, std::string_view completion) {
  const std::string_view text = until_stop(completion);
  if (form == Form::kBoxedWord) return text.find("boxed") != text.npos;
  constexpr std::string_view kOpen = "\\boxed{";
  constexpr int kDeepest = 3;
  for (auto at = text.find(kOpen); at != text.npos; at = text.find(kOpen, at + 1)) {
    int depth = 1;
    for (std::size_t i = at + kOpen.size(); i < text.size() && depth <= kDeepest; ++i) {
      if (text[i] == '{') ++depth;
      if (text[i] == '}' && --depth == 0) return true;
    }
  }
  return false;
}

}  // namespace maths
