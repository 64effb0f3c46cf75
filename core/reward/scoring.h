#pragma once

// Scores completions through the task plugin. A failure is never reward 0: a completion that could
// not be scored has reward NaN, is masked, and is counted.

#include "core/host/task.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qed {

struct Scores {
  std::vector<Score> scores;  // in the order of the samples
  std::int64_t num_failed = 0;
};

// Throws Error, with the first reason, when more than `max_failure_frac` of the samples failed.
// [any]
Scores score_samples(const Task& task, std::span<const SampleView> samples, std::uint64_t seed,
                     double max_failure_frac);

}  // namespace qed
