#pragma once

// Held-out evaluation inside a run. The items and the random numbers are the same at every step, so
// evaluations are paired.

#include "core/host/task.h"
#include "core/run/context.h"

#include <string>
#include <unordered_set>
#include <vector>

namespace qed {

struct EvalResult {
  double temperature;
  double mean, standard_error;  // share of completions with verdict "right"
  double reward, length;        // means; length in tokens
  std::string example;          // a prompt and its completion
};

// Evaluates a stage when its [eval] asks for it: adds a row to metrics.jsonl and says the result.
class Evaluator {
 public:
  // Both must outlive it. Throws Error when the task has no evaluation split and one is needed.
  Evaluator(RunContext& run, const Task& task);

  void before_first_step();
  void after_step();

 private:
  void evaluate();

  RunContext& run_;
  const Task& task_;
  std::vector<Item> items_;
};

// Keys that may not be trained on: those of the task's evaluation split, or of the first
// `num_items` where that split is generative.
std::unordered_set<std::string> held_out_keys(const Task& task, std::int64_t num_items);

}  // namespace qed
