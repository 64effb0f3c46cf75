#pragma once

// The distribution over the next token that one row of logits describes. Generation and training
// both use these few functions, which is why their log-probs agree to the bit.

#include "core/ops/cpu_kernels.h"

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace qed::ops {

// Collects the logits of the support into `scratch`; gives the row itself when the support is
// empty.
inline std::span<const float> supported(std::span<const float> logits,
                                        std::span<const std::int32_t> ids,
                                        std::vector<float>& scratch) {
  if (ids.empty()) return logits;
  scratch.resize(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) scratch[i] = logits[ids[i]];
  return scratch;
}

// Softmax statistics of the (supported) logits.
inline RowSoftmax softmax(std::span<const float> logits, float inv_temperature) {
  return cpu_kernels().row_softmax(logits.data(), static_cast<std::int64_t>(logits.size()),
                                   inv_temperature);
}

// Entropy in nats of the distribution of a row of logits.
inline float entropy(std::span<const float> logits, float inv_temperature) {
  return cpu_kernels().row_entropy(logits.data(), static_cast<std::int64_t>(logits.size()),
                                   inv_temperature, softmax(logits, inv_temperature));
}

// Log-prob of a token with this logit under the distribution that `s` describes. Not inlined: one
// copy, one rounding.
float logp_of(float logit, float inv_temperature, RowSoftmax s);

}  // namespace qed::ops
