#include "core/reward/scoring.h"

#include "core/util/error.h"

#include "qed/abi.h"

namespace qed {

Scores score_samples(const Task& task, std::span<const SampleView> samples, std::uint64_t seed,
                     double max_failure_frac) {
  Scores out{task.verify(samples, seed), 0};
  const Score* first = nullptr;
  for (const Score& s : out.scores) {
    if (s.status == QED_OK) continue;
    if (first == nullptr) first = &s;
    ++out.num_failed;
  }
  if (static_cast<double>(out.num_failed) >
      max_failure_frac * static_cast<double>(samples.size())) {
    throw Error(cat("task `", task.name(), "` could not score ", out.num_failed, " of ",
                    samples.size(), " completions (status ", first->status, "): ", first->note),
                "mend the task, or raise rollout.max_failure_frac to train on the others");
  }
  return out;
}

}  // namespace qed
