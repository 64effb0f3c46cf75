#pragma once

// The three things that training does with a model: score tokens, learn from demonstrations, learn
// from experience. Each cuts its sequences into micro-batches of at most `micro_tokens` rows; the
// cut changes gradients by rounding only, since every normaliser belongs to the whole update.

#include "core/host/algorithm.h"
#include "core/model/transformer.h"
#include "core/train/experience.h"
#include "core/train/optimizer.h"

#include <cstdint>
#include <span>

namespace qed {

// Log-probs and entropies of all completion tokens under the policy now: fills old_logp and
// entropy.
void score(Transformer& model, Experience& experience, std::int64_t micro_tokens);

// Adds the gradient of the mean negative log-likelihood of all completion tokens to the model's.
// Returns that mean.
double demonstration_gradient(Transformer& model, std::span<const Sequence> sequences,
                              std::int64_t micro_tokens);

// Adds the policy gradient of the sequences `rows` (ascending) to the model's. Weights are
// token-mean over all valid tokens of `rows`; sequences without an advantage count in the mean and
// cost nothing. `seed` goes to the plugin. Returns the loss, and whether any gradient was added.
struct PolicyGradient {
  double loss = 0;
  bool has_signal = false;
};
PolicyGradient policy_gradient(Transformer& model, const Algorithm& algorithm,
                               const Experience& experience, std::span<const std::size_t> rows,
                               std::uint64_t step, std::int64_t micro_tokens, std::uint64_t seed,
                               MetricSums& metrics);

}  // namespace qed
