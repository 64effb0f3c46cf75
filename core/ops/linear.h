#pragma once

// y[t][n] = bias[n] + sum over k of x[t][k] * w[n][k], with k ascending: row t of the result
// depends on row t of x alone, to the bit, however many rows there are.
//
// x [T, K] float32, contiguous. w [ceil(N/16), K, 16] float32 or bfloat16, panels (see
// cpu_kernels.h). bias [16 * ceil(N/16)] float32, or undefined. Returns [T, N] float32; sums are
// float32 in both cases. Differentiable in x, w and bias; gradients are float32 too.

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace qed::ops {

at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias, std::int64_t n);

}  // namespace qed::ops
