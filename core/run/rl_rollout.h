#pragma once

// The first half of an RL step: prompts, their completions, and what each is worth.

#include "core/host/sampler.h"
#include "core/run/context.h"
#include "core/run/scored_groups.h"
#include "core/run/task_set.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace qed {

// The completions of one step and what they were made from.
struct Rollout : ScoredGroups {
  std::vector<DrawPlan> plans;         // [group_size]
  std::int64_t num_dropped_items = 0;  // taken for the prompts, and held out
  std::int64_t num_skipped_items = 0;  // likewise, and outside of their task's window
  std::int64_t num_rounds = 0;         // of generating; more than 1 with rollout.refill only
  std::int64_t num_generated = 0;      // groups; those that were dropped again included
  std::vector<double> reward;          // of all completions, in order; NaN where scoring failed
  // Per group the reward of a greedy completion of the prompt; where that could not be scored, the
  // mean of the group. Empty where the algorithm does not need it.
  std::vector<double> baseline;
};

// The variance of a group's rewards, those per token included, over the completions that were
// scored; exactly 0 where all are equal, or none was scored.
std::vector<double> group_variances(const ScoredGroups& groups);

// Makes the rollouts of the current stage. [main] only; the run must outlive it.
class Collector {
 public:
  // Goes on where run.state() stands. `needs` are those of the algorithm (QED_NEEDS_<what>).
  Collector(RunContext& run, std::uint64_t needs);

  // The rollout of a step, counted from 1 in its stage: rollout.prompts groups. With
  // rollout.refill, groups whose rewards are all equal are replaced in so many more rounds, and
  // fewer are left where that does not suffice, but at least one. Of these rollout.keep_groups
  // stay.
  Rollout collect(std::int64_t step);

  const TaskSet& tasks() const { return tasks_; }
  // The reward terms of all tasks: what Score::terms of a rollout hold, NaN where a task does not
  // have the term.
  const std::vector<std::string>& terms() const { return terms_; }
  void add_states(PluginStates& to) const;
  std::string data_state() const { return tasks_.items().state(); }

 private:
  // Of an item of a task in the step.
  using Occurrences = std::map<std::pair<std::size_t, std::string>, std::uint64_t>;

  void make_plans(std::int64_t step, Rollout& r) const;
  ScoredGroups draw(std::int64_t step, std::int64_t num_prompts, const std::vector<DrawPlan>& plans,
                    Occurrences& occurrences);
  void score(std::int64_t step, ScoredGroups& groups) const;
  void report_pass_rates(const Rollout& r);
  void choose_groups(Rollout& r) const;
  void add_baseline(std::int64_t step, Rollout& r) const;

  RunContext& run_;
  const Stage& stage_;
  bool needs_baseline_;
  TaskSet tasks_;
  std::vector<std::unique_ptr<Scorer>> scorers_;  // [tasks]
  std::vector<std::string> terms_;
  Sampler sampler_;
};

}  // namespace qed
