#pragma once

// Weight matrices as the kernels read them: panels of float32 or bfloat16 in a tensor
// [ceil(N/16), K, 16].

#include "core/ops/gemm.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_like.h>

namespace qed::ops {

// The bits of a bfloat16 tensor.
inline const std::uint16_t* bfloat16_data(const at::Tensor& t) {
  return reinterpret_cast<const std::uint16_t*>(t.const_data_ptr<at::BFloat16>());
}

// Makes `w` the panel operand of a product.
inline void set_matrix(Gemm& g, const at::Tensor& w) {
  if (w.scalar_type() == at::kBFloat16) {
    g.b_bfloat16 = bfloat16_data(w);
  } else {
    g.b = w.const_data_ptr<float>();
  }
  g.b_panel = w.size(1) * kLanes;
  g.b_depth = kLanes;
}

// Where a backward adds the gradient of a weight: the weight's own where it has one, which saves
// passes over memory, else a new tensor. `returned` is what the backward returns for the weight.
struct WeightGrad {
  at::Tensor to, returned;
};
inline WeightGrad weight_grad(const at::Tensor& w) {
  if (w.is_leaf() && w.grad().defined()) return {w.grad(), at::Tensor()};
  const at::Tensor fresh = at::zeros_like(w);
  return {fresh, fresh};
}

}  // namespace qed::ops
