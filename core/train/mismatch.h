#pragma once

// Corrections for a rollout that drew from another distribution than the training forward gives:
// importance weights on the loss of each token, from rho = exp(old_logp - behavior_logp).

#include "core/config/run_config.h"
#include "core/host/algorithm.h"
#include "core/train/experience.h"

#include <vector>

namespace qed {

// True when the table asks for a correction; then old_logp must be measured.
bool corrects_mismatch(const MismatchTable& table);

// Throws Error with exit code 2 for a range that holds nothing.
void check_mismatch(const MismatchTable& table);

// [T] What each token's weight is multiplied with; the product of what is asked for:
//   token_tis      min(rho_t, C)               (Yao et al., "Your Efficient RL Framework Secretly
//                                               Brings You Off-Policy RL Training" (2025))
//   icepop         rho_t within [low, high], else 0    (Ling Team, "Every Step Evolves" (2025));
//                  with token_tis also at most C
//   sequence_tis   min(product of rho over the sequence, C), without token_tis
//   sequence_mask  1 where the geometric mean of rho is within [low, high], else 0
// Adds to the metrics `rollout_corr/...`, `mismatch/...` and `training/rollout_probs_diff_...`.
std::vector<float> mismatch_weights(const MismatchTable& table, const Experience& e,
                                    MetricSums& metrics);

}  // namespace qed
