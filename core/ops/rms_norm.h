#pragma once

// y = x / sqrt(mean(x^2) + eps) * weight, row by row. Zhang & Sennrich, "Root Mean Square Layer
// Normalization" (2019), eq. 4.
//
// x [T, D] float32, contiguous; weight [D] float32. Returns [T, D]. Differentiable in both.

#include <ATen/core/Tensor.h>

namespace qed::ops {

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, float eps);

}  // namespace qed::ops
