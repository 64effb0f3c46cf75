#pragma once

// Held-out evaluation inside a run. The items and the random numbers are the same at every step, so
// evaluations are paired.

#include "core/host/task.h"
#include "core/run/context.h"

#include <string>
#include <vector>

namespace qed {

struct EvalResult {
  double temperature;
  double mean, standard_error;  // share of completions with verdict "right"
  double reward, length;        // means; length in tokens
  std::string example;          // a prompt and its completion
};

// One result per temperature of eval.temperatures. Adds a row to metrics.jsonl.
std::vector<EvalResult> evaluate(RunContext& run, const Task& task, const std::vector<Item>& items);

// One line for people.
std::string summary(const std::vector<EvalResult>& results);

}  // namespace qed
