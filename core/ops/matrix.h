#pragma once

// Weight matrices as the kernels read them: panels of float32 or bfloat16 in a tensor
// [ceil(N/16), K, 16].

#include "core/ops/gemm.h"

#include <ATen/core/Tensor.h>

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

}  // namespace qed::ops
