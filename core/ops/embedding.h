#pragma once

// Rows of the embedding: out[t] = w[id[t]].
//
// id [T] int64, each in [0, N). w [ceil(N/16), D, 16] panels, float32 or bfloat16: the matrix that
// also serves as a tied output layer. Returns [T, D] float32. Differentiable in w, whose gradient
// is float32; additions in the order of t.

#include <ATen/core/Tensor.h>

namespace qed::ops {

at::Tensor embedding(const at::Tensor& id, const at::Tensor& w);

}  // namespace qed::ops
