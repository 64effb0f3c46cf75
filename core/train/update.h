#pragma once

// Scoring tokens, and learning from demonstrations. Each cuts its sequences into micro-batches of
// at most `micro_tokens` rows; the cut changes gradients by rounding only.

#include "core/model/transformer.h"
#include "core/train/experience.h"

#include <cstdint>
#include <span>

namespace qed {

// Log-probs and entropies of all completion tokens under the policy now: fills old_logp and
// entropy.
void score(Transformer& model, Experience& experience, std::int64_t micro_tokens);

// Adds the gradient of the mean negative log-likelihood of all completion tokens to the model's.
// Returns that mean.
double demonstration_gradient(Transformer& model, std::span<const Sequence> sequences,
                              std::int64_t micro_tokens, bool recompute = false);

}  // namespace qed
