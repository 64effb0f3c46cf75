#pragma once

// Rows of a matrix by their numbers, as torch.index_select along dimension 0. Differentiable in x.

#include <ATen/core/Tensor.h>

namespace qed::ops {

// x [T, dim] float32, row [N] int64, each in [0, T), any number of times; returns [N, dim].
at::Tensor select_rows(const at::Tensor& x, const at::Tensor& row);

}  // namespace qed::ops
