#pragma once

// Rotary position embedding on whole heads, in the split-halves form of Hugging Face checkpoints:
// (a, b) -> (a cos - b sin, b cos + a sin). Su et al., "RoFormer" (2021), section 3.4.2.

#include <ATen/core/Tensor.h>

namespace qed::ops {

struct RopeTable {
  at::Tensor cos, sin;  // [positions, dim / 2] float32
};

// Angles position * theta^(-2 i / dim), computed in float32 as transformers does.
RopeTable rope_table(std::int64_t positions, std::int64_t dim, double theta);

// Rotates the first `heads` heads of each row of x, in place, and returns x. x [T, >= heads * dim]
// float32, contiguous; position [T] int64, below the table's length. Differentiable in x.
at::Tensor rope(const at::Tensor& x, const at::Tensor& position, const RopeTable& table,
                std::int64_t heads);

}  // namespace qed::ops
