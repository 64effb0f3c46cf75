#pragma once

// The first half of an RL step: prompts, their completions, and what each is worth.

#include "core/data/items.h"
#include "core/host/sampler.h"
#include "core/run/context.h"
#include "core/run/scored_groups.h"

#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

namespace qed {

// The completions of one step and what they were made from.
struct Rollout : ScoredGroups {
  std::vector<DrawPlan> plans;         // [group_size]
  std::int64_t num_dropped_items = 0;  // taken for the prompts, and held out
  std::int64_t num_rounds = 0;         // of generating; more than 1 with rollout.refill only
  std::int64_t num_generated = 0;      // groups; those that were dropped again included
  std::vector<double> reward;          // of all completions, in order; NaN where scoring failed
  // [prompts] the reward of a greedy completion; where that could not be scored, the mean of the
  // group. Empty where the algorithm does not need it.
  std::vector<double> baseline;
};

// The variance of a group's rewards, those per token included, over the completions that were
// scored; exactly 0 where all are equal, or none was scored.
std::vector<double> group_variances(const ScoredGroups& groups);

// Makes the rollouts of the current stage. [main] only; the run must outlive it.
class Collector {
 public:
  // Goes on where run.state() stands. `needs` are those of the algorithm (QED_NEEDS_<what>). Throws
  // Error for a sampler that cannot be trained with.
  Collector(RunContext& run, std::uint64_t needs);

  // The rollout of a step, counted from 1 in its stage: rollout.prompts groups. With
  // rollout.refill, groups whose rewards are all equal are replaced in so many more rounds, and
  // fewer are left where that does not suffice, but at least one. Of these rollout.keep_groups
  // stay.
  Rollout collect(std::int64_t step);

  const Task& task() const { return task_; }
  const Scorer& scorer() const { return scorer_; }
  std::uint64_t cursor() const { return items_.cursor(); }

 private:
  using Occurrences = std::map<std::string, std::uint64_t>;  // of an item in the step

  void make_plans(std::int64_t step, Rollout& r) const;
  ScoredGroups draw(std::int64_t step, std::int64_t num_prompts, const std::vector<DrawPlan>& plans,
                    Occurrences& occurrences);
  void score(std::int64_t step, ScoredGroups& groups) const;
  void choose_groups(Rollout& r) const;
  void add_baseline(std::int64_t step, Rollout& r) const;

  RunContext& run_;
  const Stage& stage_;
  bool needs_baseline_;
  Task task_;
  Scorer scorer_;
  Sampler sampler_;
  std::unordered_set<std::string> held_out_;
  ItemStream items_;
};

}  // namespace qed
