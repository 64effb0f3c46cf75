#pragma once

// Evaluation on held-out items, inside a run and outside (`qed eval`). The items and the random
// numbers are the same at every step, so evaluations are paired.

#include "core/host/task.h"
#include "core/reward/eval_statistics.h"
#include "core/run/context.h"
#include "core/run/scored_groups.h"
#include "core/run/task_set.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

namespace qed {

struct EvalOptions {
  GenerateOptions generate;
  std::uint64_t seed = 1;  // the run's
  std::string label;       // of the task
  double max_failure_frac = 0;
  // Gets each line of eval.jsonl; `head` is what the line begins with.
  nlohmann::ordered_json head = {};
  std::function<void(const std::string& line)> on_line = {};
};

struct EvalResult {
  std::vector<EvalValue> values;       // mean@k first
  double reward, length;               // means; length in tokens
  std::string example;                 // a prompt and its completion
  std::int64_t num_items, num_failed;  // failed: completions that could not be scored
};

// Completes each prompt once per plan and scores the completions by the task's own reward. The
// random key of a completion is made of the seed, label, item and its index: that of the same
// evaluation anywhere.
EvalResult evaluate(Transformer& model, const Tokenizer& tokenizer, const Task& task,
                    const std::vector<RenderedPrompt>& prompts, std::span<const DrawPlan> plans,
                    const EvalOptions& options);

// The split that a task is evaluated on. Throws Error, with `hint`, when it has none.
const std::string& evaluation_split(const Task& task, const std::string& hint);

// Evaluates a stage when its [eval] asks for it: adds rows to metrics.jsonl and eval.jsonl, and
// says the results.
class Evaluator {
 public:
  // Both must outlive it. Throws Error when a task has no evaluation split and one is needed.
  Evaluator(RunContext& run, const TaskSet& tasks);

  void before_first_step();
  void after_step();

 private:
  void evaluate();

  RunContext& run_;
  const TaskSet& tasks_;
  std::vector<std::vector<Item>> items_;  // [tasks]
};

// Keys that may not be trained on: those of the task's evaluation split, or of the first
// `num_items` where that split is generative.
std::unordered_set<std::string> held_out_keys(const Task& task, std::int64_t num_items);

}  // namespace qed
