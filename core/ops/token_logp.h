#pragma once

// Log-probs of given tokens under the output layer, and the entropy of the distribution, without
// ever holding [T, V]: logits live for one chunk of rows at a time and are computed again in the
// backward.
//
//   z = h W^T * inv_temperature;  logp = z[target] - log sum over the support of exp(z)
//
// The support is the whole vocabulary, or per row the ids that a truncating sampler kept. Entropy
// is that of the full tempered distribution. Generation computes behavior_logp with the same
// functions (distribution.h), so the two are equal to the bit.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace qed::ops {

// Gives the changed logits of a row, valid until the thread's next call, or `logits` themselves,
// and multiplies slope[i], unless it is null, by d changed[i] / d logits[i]. [any]
using LogitChange = std::function<std::span<const float>(
    std::int64_t row, std::span<const float> logits, float* slope)>;

// Kept ids of each row, ascending: ids[offset[r]] .. ids[offset[r+1]-1]. An empty range: all of
// them.
struct Support {
  std::vector<std::int64_t> offset;  // [R+1], or empty: no row is truncated
  std::vector<std::int32_t> ids;
  LogitChange change = {};  // what z is before the support is taken; empty: z
};

struct TokenLogp {
  at::Tensor logp;     // [R] float32; differentiable
  at::Tensor entropy;  // [R] float32, nats; differentiable
};

// Rows whose logits exist at one time: 256, or more while they fit into a megabyte.
std::int64_t logits_rows(std::int64_t vocab);

// h [R, D] float32, contiguous; w [ceil(V/16), D, 16] panels, float32 or bfloat16; target [R]
// int64, in the support of its row; inv_temperature [R] float32. `support` is held until the
// backward is done. Differentiable in h and w; gradients are float32.
TokenLogp token_logp(const at::Tensor& h, const at::Tensor& w, std::int64_t vocab,
                     const at::Tensor& target, const at::Tensor& inv_temperature,
                     std::shared_ptr<const Support> support);

}  // namespace qed::ops
