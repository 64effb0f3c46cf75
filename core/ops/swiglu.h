#pragma once

// out = silu(gate) * up, silu(x) = x / (1 + exp(-x)). Shazeer, "GLU Variants Improve Transformer"
// (2020).
//
// gate_up [T, 2 F] float32, contiguous: gate in the first F columns, up in the last. Returns [T,
// F]. Differentiable.

#include <ATen/core/Tensor.h>

namespace qed::ops {

at::Tensor swiglu(const at::Tensor& gate_up);

}  // namespace qed::ops
