#pragma once

// Estimates of KL(policy || reference) from the log-probs of sampled tokens, and the controller
// that holds it near a target.

#include "core/train/experience.h"

#include <string>
#include <vector>

namespace qed {

// With d = logp - ref_logp (Schulman, "Approximating KL Divergence" (2020)):
//   k1  d              k2  d^2 / 2
//   k3  e^-d - 1 + d   k3+ the value of k3 with the slope of k2, whose gradient is that of the KL
enum class KlEstimator { kK1, kK2, kK3, kK3Plus };

// Of the name in a run file: "k1", "k2", "k3", "k3+".
KlEstimator kl_estimator(const std::string& name);

struct KlValue {
  double value;  // nats
  double slope;  // d value / d logp
};
// A |d| above 20 counts as 20, with slope 0.
KlValue kl_estimate(KlEstimator estimator, double logp, double ref_logp);

// The KL before the first update: from old_logp and ref_logp.
struct KlPenalty {
  std::vector<float>
      reward;           // [T] -coef * estimate; 0 off mask and in sequences that are not valid
  double mean_kl = 0;   // over valid sequences, of the mean over their tokens
  double num_seqs = 0;  // valid ones
};
KlPenalty kl_penalty(KlEstimator estimator, double coef, const Experience& e);

// The next coefficient (Ziegler et al., "Fine-Tuning Language Models from Human Preferences"
// (2019), section 2.2, with the error clipped at 0.2), after `num_seqs` completions at `kl`:
//   coef (1 + clip(kl / target - 1, -0.2, 0.2) num_seqs / horizon)
double adapted_kl_coef(double coef, double kl, double target, double horizon, double num_seqs);

}  // namespace qed
