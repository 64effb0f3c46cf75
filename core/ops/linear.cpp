#include "core/ops/linear.h"

#include "core/ops/gpu.h"
#include "core/ops/matrix.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor forward(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias,
                   std::int64_t n) {
  if (device() != nullptr) return gpu::linear(x, w, bias, n, x.scalar_type());
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

// dx = dy W.
at::Tensor grad_x(const at::Tensor& dy, const at::Tensor& w) {
  if (device() != nullptr) return gpu::linear_grad_x(dy, w);
  const std::int64_t rows = dy.size(0), n = dy.size(1), depth = w.size(1);
  at::Tensor dx = at::empty({rows, depth}, dy.options());
  TransposedMatrix(w, n).times(dy.const_data_ptr<float>(), rows, n, dx.data_ptr<float>());
  return dx;
}

// Adds dy^T x, as panels.
void add_grad_w(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dw) {
  if (device() != nullptr) return gpu::add_linear_grad_w(dy, x, dw);
  const std::int64_t n = dy.size(1), depth = x.size(1);
  gemm({.rows = depth,
        .cols = n,
        .depth = dy.size(0),
        .a = x.const_data_ptr<float>(),
        .a_row = 1,
        .a_col = depth,
        .b = dy.const_data_ptr<float>(),
        .b_panel = kLanes,
        .b_depth = n,
        .c = dw.data_ptr<float>(),
        .c_row = kLanes,
        .c_panel = depth * kLanes,
        .accumulate = true});
}

void add_grad_bias(const at::Tensor& dy, const at::Tensor& db) {
  if (device() != nullptr) return gpu::add_linear_grad_bias(dy, db);
  const std::int64_t n = dy.size(1);
  const float* from = dy.const_data_ptr<float>();
  float* to = db.data_ptr<float>();
  parallel_for(n, 4 * kLanes, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = 0; r < dy.size(0); ++r) {
      for (std::int64_t j = begin; j < end; ++j) to[j] += from[r * n + j];
    }
  });
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
    const WeightGrad dw = weight_grad(saved[1]);
    add_grad_w(dy, saved[0], dw.to);
    WeightGrad db;
    if (saved[2].defined()) {
      db = weight_grad(saved[2]);
      add_grad_bias(dy, db.to);
    }
    return {grad_x(dy, saved[1]), dw.returned, db.returned, at::Tensor()};
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias,
                  std::int64_t n) {
  QED_CHECK(x.dim() == 2 && x.is_contiguous() && is_matrix(w, n, x.size(1)), "[linear] x ",
            x.sizes(), ", w ", w.sizes(), ", n ", n);
  QED_CHECK(!bias.defined() || bias.numel() == num_panels(n) * kLanes, "[linear] bias ",
            bias.sizes());
  if (!at::GradMode::is_enabled() || (!w.requires_grad() && !x.requires_grad())) {
    return forward(x, w, bias, n);
  }
  return Linear::apply(x, w, bias.defined() ? std::optional(bias) : std::nullopt, n);
}

}  // namespace qed::ops
