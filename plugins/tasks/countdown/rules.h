#pragma once

// The rules by which a completion is scored. `strict` is qed's own; the others are published rules,
// reproduced with their quirks; the README says whose.

#include "puzzle.h"

#include "qed/task.h"

#include <string_view>

namespace countdown {

enum class Rule {
  kStrict,
  kTinyZero,
  kLevel2,
  kLevel3,
  kLevel4,
  kMiniR1,
  kMiniR1Equation,
  kMiniR1Format,
  kRagen,
};

inline constexpr std::string_view kRules[] = {
    "strict",           "tinyzero",        "tinyzero_level2",
    "tinyzero_level3",  "tinyzero_level4", "mini_r1",
    "mini_r1_equation", "mini_r1_format",  "ragen"};

Rule rule_of(std::string_view name);  // one of kRules

// True for the rules of systems that decode a completion with its special tokens.
bool sees_special_tokens(Rule rule);

struct Scores {
  double right = 1;     // of a right equation
  double format = 0.1;  // of a wrong one
};

struct Mark {
  double reward = 0;
  bool correct = false, format = false, numbers = false;
  std::string_view note = {};  // a literal
};

// `has_header` false: the template writes neither `Assistant:` nor `<|im_start|>assistant`; the
// rules that look for one of them then read the answer alone. Throws qed::Error for an item that is
// no puzzle; never for anything in the completion.
Mark mark(Rule rule, const Scores& scores, const qed::Sample& sample, bool has_header);

}  // namespace countdown
