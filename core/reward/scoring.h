#pragma once

// Scores completions: the task's reward, and the sum of it and the extra terms of [reward]. A
// failure is never reward 0: a completion that could not be scored has reward NaN, is masked, and
// is counted.

#include "core/config/run_config.h"
#include "core/host/reward.h"
#include "core/host/task.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace qed {

// Rewards per token from one extra term, weight applied.
struct TokenStream {
  std::string label;
  std::optional<double> gamma;              // none: the algorithm's own
  std::vector<std::vector<float>> rewards;  // [samples][tokens]; 0 where scoring failed
};

struct Scores {
  // In the order of the samples. `reward` is the sum; `terms` go with Scorer::terms(), NaN where a
  // term has nothing to say.
  std::vector<Score> scores;
  std::vector<TokenStream> streams;  // not contained in `reward`
  std::int64_t num_failed = 0;

  // Adds the scores of further samples, scored alike.
  void append(Scores&& more);
};

// Throws Error, with the first reason, when more than `max_failure_frac` of the samples failed.
void check_failures(const Scores& scores, const std::string& task, double max_failure_frac);

class Scorer {
 public:
  // The task's own reward alone. `task` must outlive the object.
  explicit Scorer(const Task& task);
  // task_weight * the task's reward + sum of weight * term. Throws Error when a plugin cannot be
  // loaded, or a label is also the name of a term of the task.
  Scorer(const Task& task, double task_weight, const std::vector<RewardTerm>& terms,
         PluginHost& plugins);

  // The task's terms; with extra terms also `task`, the task's own reward, and each label.
  const std::vector<std::string>& terms() const { return names_; }

  // `samples` are whole groups. [any]
  Scores score(std::span<const SampleView> samples, std::uint64_t seed) const;

  const Task& task() const { return task_; }
  std::vector<PluginState> extra_states() const;  // of the extra terms, in order

 private:
  struct Extra {
    RewardTerm term;
    std::unique_ptr<Reward> reward;
  };
  void add(const Extra& extra, std::span<const SampleView> samples,
           std::span<const double> task_reward, std::uint64_t seed, Scores& out) const;

  const Task& task_;
  double task_weight_ = 1;
  std::vector<Extra> extras_;
  std::vector<std::string> names_;
};

}  // namespace qed
