#pragma once

// Building block of estimators that normalise over the tokens of a whole batch.

#include "qed/group.h"

#include <vector>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// The tokens that count: written by the model, in a valid sequence. [T]
inline std::vector<bool> trained_tokens(const Batch& batch) {
  std::vector<bool> out(batch.num_tokens());
  for (std::size_t b = 0; b < batch.num_seqs(); ++b) {
    for (auto t = batch.offset[b]; t < batch.offset[b + 1]; ++t) {
      out[t] = batch.valid[b] != 0 && batch.mask[t] != 0;
    }
  }
  return out;
}

// x := (x - mean) / sqrt(std^2 + eps) over all tokens that count, as veRL's masked_whiten (unbiased
// variance, eps inside the root); 0 elsewhere, and everywhere when all are equal. `x` holds T
// floats or doubles.
template <class X>
void whiten(const Batch& batch, X&& x, double eps = 1e-8) {
  const auto use = trained_tokens(batch);
  const Statistics s = statistics(
      0, use.size(), [&](std::size_t t) { return x[t]; }, [&](std::size_t t) { return use[t]; });
  const double scale = 1 / std::sqrt(s.std * s.std + eps);
  for (std::size_t t = 0; t < use.size(); ++t) {
    using T = std::remove_cvref_t<decltype(x[t])>;
    x[t] = use[t] ? static_cast<T>((x[t] - s.mean) * scale) : T{0};
  }
}

// Writes x to the tokens that count.
inline void store(const Batch& batch, const std::vector<double>& x, std::span<float> out) {
  const auto use = trained_tokens(batch);
  for (std::size_t t = 0; t < use.size(); ++t) {
    if (use[t]) out[t] = static_cast<float>(x[t]);
  }
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
