#pragma once

// The clipped surrogate of PPO, per token and per sequence: value and exact gradient.

#include "qed/algorithm.h"

#include <cmath>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// The bounds of the surrogate, and the options that set them.
struct Clip {
  double low = 0.2;
  double high = 0.2;
  double dual = 0;            // 0: off
  double max_log_ratio = 20;  // 0: any

  void options(Options& o) {
    o("clip_low", low, {.min = 0, .max = 1, .help = "the ratio is clipped below at 1 - clip_low"});
    o("clip_high", high, {.min = 0, .help = "the ratio is clipped above at 1 + clip_high"});
    o("dual_clip", dual, {.min = 0, .help = "bounds the loss at -A dual_clip where A < 0; 0: off"});
    o("max_log_ratio", max_log_ratio,
      {.min = 0, .unit = "nats", .help = "larger log-ratios count as this one; 0: any"});
  }

  void check() const {
    if (dual > 0 && dual <= 1) {
      throw Error("`dual_clip` is " + std::to_string(dual) + ", but it must be above 1, or 0: off",
                  QED_INVALID);
    }
  }

  double bound(double log_ratio) const {
    return max_log_ratio > 0 ? std::clamp(log_ratio, -max_log_ratio, max_log_ratio) : log_ratio;
  }
};

// One term of the surrogate.
struct Surrogate {
  double loss;      // f
  double slope;     // df / dlog(ratio)
  bool is_clipped;  // by low or high
  bool is_dual_clipped;
};

// f = max(-A r, -A clip(r, 1 - low, 1 + high)) (Schulman et al. 2017, eq. 7, with the separate
// bounds of DAPO, Yu et al. 2025, eq. 10); where A < 0, at most -A dual (Ye et al. 2020, "Mastering
// Complex Control in MOBA Games", eq. 5). The slope is -A r, and 0 where a bound is active.
inline Surrogate surrogate(double a, double ratio, const Clip& clip) {
  const double plain = -a * ratio;
  const double bounded = -a * std::clamp(ratio, 1 - clip.low, 1 + clip.high);
  Surrogate s = {std::max(plain, bounded), plain >= bounded ? plain : 0, bounded > plain, false};
  if (clip.dual > 0 && a < 0 && s.loss > -a * clip.dual) {
    s = {-a * clip.dual, 0, s.is_clipped, true};
  }
  return s;
}

// Sums for the metrics `actor/pg_clipfrac`, `actor/pg_clipfrac_lower` (of the dual clip) and
// `actor/ppo_kl` (the k1 estimate, old_logp - logp).
struct ClipMetrics {
  double clipped = 0, lower = 0, kl = 0, count = 0;

  void add(const Surrogate& s, double log_ratio) {
    clipped += s.is_clipped ? 1 : 0;
    lower += s.is_dual_clipped ? 1 : 0;
    kl -= log_ratio;
    ++count;
  }
  void write(LossArgs& args, const Clip& clip) const {
    args.metric("actor/pg_clipfrac", clipped, count);
    if (clip.dual > 0) args.metric("actor/pg_clipfrac_lower", lower, count);
    args.metric("actor/ppo_kl", kl, count);
  }
};

// Sum over t of weight[t] f(adv[t], r_t) with r_t = exp(logp - old_logp); writes the gradient and
// the metrics. Tokens with weight 0 are skipped.
inline double clipped_policy_loss(const Batch& batch, LossArgs& args, const Clip& clip) {
  double loss = 0;
  ClipMetrics metrics;
  for (std::size_t t = 0; t < args.logp.size(); ++t) {
    if (args.weight[t] == 0) continue;
    const double log_ratio = double{args.logp[t]} - batch.old_logp[t];
    const double bounded = clip.bound(log_ratio);
    const double w = args.weight[t];
    const Surrogate s = surrogate(args.adv[t], std::exp(bounded), clip);
    loss += w * s.loss;
    if (bounded == log_ratio) args.grad_logp[t] = static_cast<float>(w * s.slope);
    metrics.add(s, bounded);
  }
  metrics.write(args, clip);
  return loss;
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
