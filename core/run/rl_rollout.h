#pragma once

// The first half of an RL step: prompts, their completions, and what each is worth.

#include "core/data/items.h"
#include "core/host/sampler.h"
#include "core/reward/scoring.h"
#include "core/run/context.h"
#include "core/run/prompts.h"

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace qed {

// The completions of one step and what they were made from.
struct Rollout {
  std::int64_t num_dropped_items = 0;  // taken for the prompts, and held out
  std::vector<RenderedPrompt> prompts;
  std::vector<DrawPlan> plans;  // [group_size]
  std::vector<GenerateRequest> requests;
  std::vector<std::vector<Completion>> completions;  // [prompts][group_size]
  std::vector<std::string> texts;                    // of all completions, in order
  Scores scored;
  std::vector<double> reward;  // NaN where scoring failed
  double gen_s = 0, reward_s = 0;
};

// Makes the rollouts of the current stage. [main] only; the run must outlive it.
class Collector {
 public:
  // Goes on where run.state() stands. Throws Error for a sampler that cannot be trained with.
  explicit Collector(RunContext& run);

  // The rollout of a step, counted from 1 in its stage.
  Rollout collect(std::int64_t step);

  const Task& task() const { return task_; }
  const Scorer& scorer() const { return scorer_; }
  std::uint64_t cursor() const { return items_.cursor(); }

 private:
  void take_prompts(Rollout& r);
  void make_plans(std::int64_t step, Rollout& r) const;
  void make_requests(std::int64_t step, Rollout& r) const;
  void verify(std::int64_t step, Rollout& r) const;

  RunContext& run_;
  const Stage& stage_;
  Task task_;
  Scorer scorer_;
  Sampler sampler_;
  std::unordered_set<std::string> held_out_;
  ItemStream items_;
};

}  // namespace qed
