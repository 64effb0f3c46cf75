#include "core/ops/rms_norm.h"

#include "core/ops/cpu_kernels.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 128;  // rows per piece of work

// Returns {y, rstd [T]}.
std::pair<at::Tensor, at::Tensor> forward(const at::Tensor& x, const at::Tensor& weight,
                                          float eps) {
  const std::int64_t dim = x.size(1);
  at::Tensor y = at::empty_like(x), rstd = at::empty({x.size(0)}, x.options());
  const float *from = x.const_data_ptr<float>(), *w = weight.const_data_ptr<float>();
  float *to = y.data_ptr<float>(), *scale = rstd.data_ptr<float>();
  parallel_for(x.size(0), kGrain, [&](std::int64_t begin, std::int64_t end) {
    cpu_kernels().rms_norm(from + begin * dim, w, to + begin * dim, scale + begin, end - begin, dim,
                           eps);
  });
  return {y, rstd};
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            double eps) {
    auto [y, rstd] = ops::forward(x, weight, static_cast<float>(eps));
    ctx->save_for_backward({x, weight, rstd});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor dy = grads[0].contiguous();
    const std::int64_t rows = dy.size(0), dim = dy.size(1);
    at::Tensor dx = at::empty_like(dy), dweight = at::zeros_like(saved[1]);
    const float *d = dy.const_data_ptr<float>(), *x = saved[0].const_data_ptr<float>();
    const float *w = saved[1].const_data_ptr<float>(), *rstd = saved[2].const_data_ptr<float>();
    float *to = dx.data_ptr<float>(), *dw = dweight.data_ptr<float>();
    parallel_for(rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
      cpu_kernels().rms_norm_backward(d + begin * dim, x + begin * dim, w, rstd + begin,
                                      to + begin * dim, end - begin, dim);
    });
    for (std::int64_t t = 0; t < rows; ++t) {  // one thread: one order of addition
      for (std::int64_t k = 0; k < dim; ++k) dw[k] += d[t * dim + k] * x[t * dim + k] * rstd[t];
    }
    return {dx, dweight, at::Tensor()};
  }
};

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, float eps) {
  QED_CHECK(x.dim() == 2 && x.is_contiguous() && weight.numel() == x.size(1), "[rms_norm] x ",
            x.sizes(), ", weight ", weight.sizes());
  if (!at::GradMode::is_enabled()) return forward(x, weight, eps).first;
  return RmsNorm::apply(x, weight, static_cast<double>(eps));
}

}  // namespace qed::ops
