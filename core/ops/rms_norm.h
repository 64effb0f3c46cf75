#pragma once

// y = x / sqrt(mean(x^2) + eps) * weight, row by row. Zhang & Sennrich, "Root Mean Square Layer
// Normalization" (2019), eq. 4.
//
// x [T, D] float32, contiguous; weight [D] float32. Returns [T, D]. Differentiable in both.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>

namespace qed::ops {

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, float eps);

// {x + delta, rms_norm(x + delta)}; x and delta [T, D]. Differentiable in all three. On a GPU delta
// may be undefined: 0.
std::pair<at::Tensor, at::Tensor> add_norm(const at::Tensor& x, const at::Tensor& delta,
                                           const at::Tensor& weight, float eps);

// rms_norm of each head's query and key alone. Henry et al., "Query-Key Normalization for
// Transformers" (2020), with an RMS norm as in Qwen3.
//
// qkv [T, W] float32, contiguous: `heads` queries, then `kv_heads` keys, then what stays as it is.
// q_weight, k_weight [head_dim] float32. Returns [T, W]; where no gradient is wanted that is qkv
// itself, changed in place. Differentiable in all three.
at::Tensor head_norm(const at::Tensor& qkv, const at::Tensor& q_weight, const at::Tensor& k_weight,
                     std::int64_t heads, std::int64_t kv_heads, float eps);

}  // namespace qed::ops
