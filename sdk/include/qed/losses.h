#pragma once

// Building blocks of policy losses: value and exact gradient per token.

#include "qed/algorithm.h"

#include <algorithm>
#include <cmath>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// The clipped surrogate of PPO (Schulman et al. 2017, eq. 7) with separate bounds (DAPO, Yu et al.
// 2025, eq. 10): sum over t of weight[t] * max(-A r, -A clip(r, 1 - low, 1 + high)),
// r = exp(logp - old_logp). Writes the gradient, -weight A r where the clip is inactive and 0 where
// it is active, and the metrics `actor/pg_clipfrac` and `actor/ppo_kl` (the k1 estimate,
// old_logp - logp). Tokens with weight 0 are skipped.
inline double clipped_policy_loss(const Batch& batch, LossArgs& args, double low, double high) {
  double loss = 0, clipped = 0, kl = 0, count = 0;
  for (std::size_t t = 0; t < args.logp.size(); ++t) {
    if (args.weight[t] == 0) continue;
    const double log_ratio = double{args.logp[t]} - batch.old_logp[t];
    const double ratio = std::exp(std::clamp(log_ratio, -20.0, 20.0));
    const double a = args.adv[t], w = args.weight[t];
    const double plain = -a * ratio;
    const double bounded = -a * std::clamp(ratio, 1 - low, 1 + high);
    loss += w * std::max(plain, bounded);
    if (plain >= bounded && std::abs(log_ratio) < 20) {
      args.grad_logp[t] = static_cast<float>(w * plain);
    }
    clipped += bounded > plain ? 1 : 0;
    kl -= log_ratio;
    ++count;
  }
  args.metric("actor/pg_clipfrac", clipped, count);
  args.metric("actor/ppo_kl", kl, count);
  return loss;
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
