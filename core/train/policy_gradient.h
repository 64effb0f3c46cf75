#pragma once

// Learning from experience: the gradient of an algorithm's loss and of the terms beside it. The cut
// into micro-batches of at most `micro_tokens` rows changes it by rounding only, since every
// normaliser belongs to the whole update.

#include "core/host/algorithm.h"
#include "core/model/transformer.h"
#include "core/train/critic.h"
#include "core/train/experience.h"
#include "core/train/kl.h"

#include <cstdint>
#include <span>
#include <string>

namespace qed {

// What a policy's update is made of beside the algorithm's loss. Coefficients 0: no such term.
struct UpdateOptions {
  std::int64_t micro_tokens = 2048;
  bool recompute = false;     // see AttentionContext
  Critic* critic = nullptr;   // where the algorithm needs values: its gradient is added too
  bool critic_alone = false;  // the policy gets no gradient
  std::string aggregation = "token-mean";  // see aggregation.h
  double aggregation_length = 0;
  double kl_coef = 0;  // of the KL in the loss; needs Experience::ref_logp
  KlEstimator kl_estimator = KlEstimator::kK3;
  double entropy_coef = 0;
  double nll_coef = 0;         // of the mean -logp over the tokens of completions with reward > 0
  bool policy_is_old = false;  // no weight has changed since the rollout: logp is old_logp
  std::uint64_t step = 1, seed = 0;  // for the plugin
};

struct PolicyGradient {
  double loss = 0, value_loss = 0;             // of the algorithm
  bool has_signal = false;                     // some advantage or some other term was not 0
  bool has_logp = false;                       // a forward was made, which measured:
  double max_ratio = 0, max_abs_mismatch = 0;  // of exp(logp - old_logp), |logp - behavior_logp|
};

// Adds the gradient of the sequences `rows` (ascending) to the model's. Weights belong to all
// sequences of `rows` that are in the loss; those whose gradient is certainly 0 count in them and
// cost nothing. Adds `ratio/mean` and what the terms and the algorithm measure to `metrics`.
PolicyGradient policy_gradient(Transformer& model, const Algorithm& algorithm,
                               const Experience& experience, std::span<const std::size_t> rows,
                               const UpdateOptions& options, MetricSums& metrics);

}  // namespace qed
