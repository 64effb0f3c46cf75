#include "core/ops/linear.h"

#include "core/ops/matrix.h"
#include "core/util/error.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor forward(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias,
                   std::int64_t n) {
  const std::int64_t rows = x.size(0), depth = x.size(1);
  at::Tensor y = at::empty({rows, n}, x.options());
  Gemm g{.rows = rows,
         .cols = n,
         .depth = depth,
         .a = x.const_data_ptr<float>(),
         .a_row = depth,
         .a_col = 1,
         .c = y.data_ptr<float>(),
         .c_row = n,
         .c_panel = kLanes,
         .bias = bias.defined() ? bias.const_data_ptr<float>() : nullptr};
  set_matrix(g, w);
  gemm(g);
  return y;
}

// dx = dy W: the same gemm, with the panels of W^T.
at::Tensor grad_x(const at::Tensor& dy, const at::Tensor& w) {
  const std::int64_t rows = dy.size(0), n = dy.size(1), depth = w.size(1);
  at::Tensor dx = at::empty({rows, depth}, dy.options());
  const std::vector<float> turned = transpose_panels(w.const_data_ptr<float>(), n, depth);
  gemm({.rows = rows,
        .cols = depth,
        .depth = n,
        .a = dy.const_data_ptr<float>(),
        .a_row = n,
        .a_col = 1,
        .b = turned.data(),
        .b_panel = n * kLanes,
        .b_depth = kLanes,
        .c = dx.data_ptr<float>(),
        .c_row = depth,
        .c_panel = kLanes});
  return dx;
}

// dw = dy^T x, written as panels: dy itself serves as the panel operand, so its rows must be whole
// panels wide.
at::Tensor grad_w(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& w) {
  const std::int64_t rows = dy.size(0), n = dy.size(1), depth = w.size(1);
  const std::int64_t width = num_panels(n) * kLanes;
  at::Tensor dw = at::zeros_like(w);
  std::vector<float> padded;
  const float* b = dy.const_data_ptr<float>();
  if (width != n) {
    padded.resize(rows * width);
    for (std::int64_t r = 0; r < rows; ++r) std::copy_n(b + r * n, n, padded.data() + r * width);
    b = padded.data();
  }
  gemm({.rows = depth,
        .cols = n,
        .depth = rows,
        .a = x.const_data_ptr<float>(),
        .a_row = 1,
        .a_col = depth,
        .b = b,
        .b_panel = kLanes,
        .b_depth = width,
        .c = dw.data_ptr<float>(),
        .c_row = kLanes,
        .c_panel = depth * kLanes});
  return dw;
}

at::Tensor grad_bias(const at::Tensor& dy, const at::Tensor& bias) {
  at::Tensor db = at::zeros_like(bias);
  const float* from = dy.const_data_ptr<float>();
  float* to = db.data_ptr<float>();
  for (std::int64_t r = 0; r < dy.size(0); ++r) {
    for (std::int64_t j = 0; j < dy.size(1); ++j) to[j] += from[r * dy.size(1) + j];
  }
  return db;
}

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& w,
                            const std::optional<at::Tensor>& bias, std::int64_t n) {
    ctx->save_for_backward({x, w, bias.value_or(at::Tensor())});
    return ops::forward(x, w, bias.value_or(at::Tensor()), n);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor dy = grads[0].contiguous();
    return {grad_x(dy, saved[1]), grad_w(dy, saved[0], saved[1]),
            saved[2].defined() ? grad_bias(dy, saved[2]) : at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias,
                  std::int64_t n) {
  QED_CHECK(x.dim() == 2 && x.is_contiguous() && w.dim() == 3 && w.is_contiguous() &&
                x.size(1) == w.size(1) && w.size(0) == num_panels(n),
            "[linear] x ", x.sizes(), ", w ", w.sizes(), ", n ", n);
  QED_CHECK(!bias.defined() || bias.numel() == num_panels(n) * kLanes, "[linear] bias ",
            bias.sizes());
  if (!at::GradMode::is_enabled() || (!w.requires_grad() && !x.requires_grad())) {
    return forward(x, w, bias, n);
  }
  return Linear::apply(x, w, bias.defined() ? std::optional(bias) : std::nullopt, n);
}

}  // namespace qed::ops
