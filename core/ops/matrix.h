#pragma once

// Weight matrices as the kernels read them: panels of float32 or bfloat16 in a tensor
// [ceil(N/16), K, 16]; on a GPU row-major, [N, K].

#include "core/ops/device.h"
#include "core/ops/gemm.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_like.h>

namespace qed::ops {

// True of a matrix of weights [n, depth]: panels, or row-major where it is a GPU's.
inline bool is_matrix(const at::Tensor& w, std::int64_t n, std::int64_t depth) {
  const bool has_rows = device() != nullptr ? w.dim() == 2 && w.size(0) == n
                                            : w.dim() == 3 && w.size(0) == num_panels(n);
  return has_rows && w.size(1) == depth && w.is_contiguous();
}

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

// W^T of a matrix [n, K], for products with it. A large one is made in parts as they are needed, so
// that no second copy of the largest weights exists. One object at a time; the thread that made it.
class TransposedMatrix {
 public:
  TransposedMatrix(const at::Tensor& w, std::int64_t n);

  // C = A W, [rows, K]; row i of A [rows, n] begins at a + i * a_row, and of C at c + i * K. The
  // parts change no bit.
  void times(const float* a, std::int64_t rows, std::int64_t a_row, float* c) const;

  // Floats of the largest part that exists at one time.
  static std::int64_t num_floats(std::int64_t n, std::int64_t depth);

 private:
  const float* turn(std::int64_t first_row, std::int64_t rows) const;

  const at::Tensor& w_;
  std::int64_t n_, depth_, step_;  // rows of W in a part
  const float* whole_ = nullptr;   // where there is one part only
};

// Where a backward adds the gradient of a weight, in float32: the weight's own where it has one,
// which saves passes over memory, else a new tensor. `returned` is what the backward returns for
// the weight.
struct WeightGrad {
  at::Tensor to, returned;
};
inline WeightGrad weight_grad(const at::Tensor& w) {
  if (w.is_leaf() && w.grad().defined()) return {w.grad(), at::Tensor()};
  const at::Tensor fresh = at::zeros_like(w, at::kFloat);
  return {fresh, fresh};
}

}  // namespace qed::ops
