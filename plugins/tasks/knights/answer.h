#pragma once

// The part of a sample that the verifiers read.

#include "qed/task.h"

#include "rules.h"

#include <string>
#include <string_view>

namespace knights {

// The completion with what the task, or the model's chat template, wrote before it: a prefill, or
// a prompt that ends with <think>.
class Answer {
 public:
  explicit Answer(const qed::Sample& sample);
  Answer(const Answer&) = delete;

  std::string_view text() const { return text_; }
  // What Logic-RL scores. It cuts the prompt away at the header of a base or a Qwen prompt; where a
  // chat template has neither, the prompt is still cut away.
  Response response_logic_rl() const;

 private:
  std::string_view prompt_, text_;
  std::string joined_;
};

}  // namespace knights
