#include "core/ops/rms_norm.h"

#include "core/ops/cpu_kernels.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>
#include <vector>

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

// The two runs of heads in a row of qkv: queries, then keys.
struct Runs {
  std::int64_t heads[2];
  std::int64_t dim, width;

  std::int64_t normed() const { return heads[0] + heads[1]; }
  std::int64_t first(int run) const { return run == 0 ? 0 : heads[0]; }
};

// rstd [T, normed heads]. x and y may be the same.
void norm_heads(const Runs& runs, const float* x, const float* const weight[2], float* y,
                float* rstd, std::int64_t rows, float eps) {
  parallel_for(rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      for (int run = 0; run < 2; ++run) {
        const std::int64_t at = t * runs.width + runs.first(run) * runs.dim;
        cpu_kernels().rms_norm(x + at, weight[run], y + at,
                               rstd + t * runs.normed() + runs.first(run), runs.heads[run],
                               runs.dim, eps);
      }
    }
  });
}

void norm_heads_backward(const Runs& runs, const float* dy, const float* x,
                         const float* const weight[2], const float* rstd, float* dx,
                         float* const dweight[2], std::int64_t rows) {
  parallel_for(rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      for (int run = 0; run < 2; ++run) {
        const std::int64_t at = t * runs.width + runs.first(run) * runs.dim;
        cpu_kernels().rms_norm_backward(dy + at, x + at, weight[run],
                                        rstd + t * runs.normed() + runs.first(run), dx + at,
                                        runs.heads[run], runs.dim);
      }
    }
  });
  for (std::int64_t t = 0; t < rows; ++t) {  // one thread: one order of addition
    for (int run = 0; run < 2; ++run) {
      for (std::int64_t h = 0; h < runs.heads[run]; ++h) {
        const std::int64_t at = t * runs.width + (runs.first(run) + h) * runs.dim;
        const float scale = rstd[t * runs.normed() + runs.first(run) + h];
        for (std::int64_t k = 0; k < runs.dim; ++k)
          dweight[run][k] += dy[at + k] * x[at + k] * scale;
      }
    }
  }
}

struct HeadNorm : torch::autograd::Function<HeadNorm> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& qkv, const at::Tensor& q_weight,
                            const at::Tensor& k_weight, std::int64_t heads, std::int64_t kv_heads,
                            double eps) {
    const Runs runs{{heads, kv_heads}, q_weight.numel(), qkv.size(1)};
    at::Tensor y = qkv.clone(), rstd = at::empty({qkv.size(0), runs.normed()}, qkv.options());
    const float* const weight[2] = {q_weight.const_data_ptr<float>(),
                                    k_weight.const_data_ptr<float>()};
    norm_heads(runs, qkv.const_data_ptr<float>(), weight, y.data_ptr<float>(),
               rstd.data_ptr<float>(), qkv.size(0), static_cast<float>(eps));
    ctx->save_for_backward({qkv, q_weight, k_weight, rstd});
    ctx->saved_data["heads"] = heads;
    ctx->saved_data["kv_heads"] = kv_heads;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor dy = grads[0].contiguous();
    const Runs runs{{ctx->saved_data["heads"].toInt(), ctx->saved_data["kv_heads"].toInt()},
                    saved[1].numel(),
                    dy.size(1)};
    at::Tensor dx = dy.clone(), dq = at::zeros_like(saved[1]), dk = at::zeros_like(saved[2]);
    const float* const weight[2] = {saved[1].const_data_ptr<float>(),
                                    saved[2].const_data_ptr<float>()};
    float* const dweight[2] = {dq.data_ptr<float>(), dk.data_ptr<float>()};
    norm_heads_backward(runs, dy.const_data_ptr<float>(), saved[0].const_data_ptr<float>(), weight,
                        saved[3].const_data_ptr<float>(), dx.data_ptr<float>(), dweight,
                        dy.size(0));
    return {dx, dq, dk, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor head_norm(const at::Tensor& qkv, const at::Tensor& q_weight, const at::Tensor& k_weight,
                     std::int64_t heads, std::int64_t kv_heads, float eps) {
  const std::int64_t dim = q_weight.numel();
  QED_CHECK(qkv.dim() == 2 && qkv.is_contiguous() && k_weight.numel() == dim &&
                qkv.size(1) >= (heads + kv_heads) * dim,
            "[head_norm] qkv ", qkv.sizes(), ", heads ", heads, " + ", kv_heads, " of ", dim);
  if (at::GradMode::is_enabled()) {
    return HeadNorm::apply(qkv, q_weight, k_weight, heads, kv_heads, static_cast<double>(eps));
  }
  const Runs runs{{heads, kv_heads}, dim, qkv.size(1)};
  const float* const weight[2] = {q_weight.const_data_ptr<float>(),
                                  k_weight.const_data_ptr<float>()};
  float* x = qkv.data_ptr<float>();
  std::vector<float> rstd(static_cast<std::size_t>(qkv.size(0) * runs.normed()));
  norm_heads(runs, x, weight, x, rstd.data(), qkv.size(0), eps);
  return qkv;
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, float eps) {
  QED_CHECK(x.dim() == 2 && x.is_contiguous() && weight.numel() == x.size(1), "[rms_norm] x ",
            x.sizes(), ", weight ", weight.sizes());
  if (!at::GradMode::is_enabled()) return forward(x, weight, eps).first;
  return RmsNorm::apply(x, weight, static_cast<double>(eps));
}

}  // namespace qed::ops
