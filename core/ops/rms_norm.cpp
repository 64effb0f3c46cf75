#include "core/ops/rms_norm.h"

#include "core/ops/cpu_kernels.h"
#include "core/ops/gpu.h"
#include "core/ops/matrix.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 128;  // rows per piece of work
constexpr std::int64_t kForwardGrain = 16;
constexpr std::int64_t kCached = 16;  // rows that stay in the cache between two passes

using gpu::Normed;

Normed forward(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, float eps) {
  if (device() != nullptr) return gpu::rms_norm(x, delta, weight, eps);
  const std::int64_t dim = x.size(1);
  Normed out{delta.defined() ? at::empty_like(x) : x, at::empty_like(x),
             at::empty({x.size(0)}, x.options())};
  const float *a = x.const_data_ptr<float>(), *w = weight.const_data_ptr<float>();
  const float* b = delta.defined() ? delta.const_data_ptr<float>() : nullptr;
  const float* from = out.sum.const_data_ptr<float>();
  float* __restrict sum = b != nullptr ? out.sum.data_ptr<float>() : nullptr;
  float *to = out.norm.data_ptr<float>(), *rstd = out.rstd.data_ptr<float>();
  parallel_for(x.size(0), kForwardGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; r += kCached) {
      const std::int64_t rows = std::min(kCached, end - r);
      if (sum != nullptr) {
        for (std::int64_t i = r * dim; i < (r + rows) * dim; ++i) sum[i] = a[i] + b[i];
      }
      cpu_kernels().rms_norm(from + r * dim, w, to + r * dim, rstd + r, rows, dim, eps);
    }
  });
  return out;
}

// Adds up what pieces of rows gave to a weight's gradient: pieces of one size in one order, so that
// threads change nothing. body(piece, begin, end, dweight).
template <class Body>
void add_pieces(std::int64_t rows, std::int64_t dim, float* dweight, Body&& body) {
  const std::int64_t pieces = (rows + kGrain - 1) / kGrain;
  std::vector<float> parts(static_cast<std::size_t>(pieces * dim), 0.0f);
  parallel_for(pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      body(p * kGrain, std::min(rows, (p + 1) * kGrain), parts.data() + p * dim);
    }
  });
  for (std::int64_t p = 0; p < pieces; ++p) {
    for (std::int64_t k = 0; k < dim; ++k) dweight[k] += parts[p * dim + k];
  }
}

// The gradient in x, `before` added to it where it is defined; adds to dweight.
at::Tensor backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                    const at::Tensor& rstd, const at::Tensor& before, const at::Tensor& dweight) {
  if (device() != nullptr) return gpu::rms_norm_backward(dy, x, weight, rstd, before, dweight);
  const std::int64_t dim = dy.size(1);
  at::Tensor dx = at::empty_like(dy);
  const float *d = dy.const_data_ptr<float>(), *from = x.const_data_ptr<float>();
  const float *w = weight.const_data_ptr<float>(), *scale = rstd.const_data_ptr<float>();
  const float* add = before.defined() ? before.const_data_ptr<float>() : nullptr;
  float* to = dx.data_ptr<float>();
  add_pieces(dy.size(0), dim, dweight.data_ptr<float>(),
             [&](std::int64_t begin, std::int64_t end, float* part) {
               const std::int64_t at = begin * dim;
               cpu_kernels().rms_norm_backward(d + at, from + at, w, scale + begin,
                                               add == nullptr ? nullptr : add + at, to + at, part,
                                               end - begin, dim);
             });
  return dx;
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            double eps) {
    const Normed out = ops::forward(x, at::Tensor(), weight, static_cast<float>(eps));
    ctx->save_for_backward({x, weight, out.rstd});
    return out.norm;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const WeightGrad dw = weight_grad(saved[1]);
    const at::Tensor dx =
        ops::backward(grads[0].contiguous(), saved[0], saved[1], saved[2], at::Tensor(), dw.to);
    return {dx, dw.returned, at::Tensor()};
  }
};

struct AddRmsNorm : torch::autograd::Function<AddRmsNorm> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x,
                               const std::optional<at::Tensor>& delta, const at::Tensor& weight,
                               double eps) {
    const Normed out =
        ops::forward(x, delta.value_or(at::Tensor()), weight, static_cast<float>(eps));
    ctx->saved_data["has_delta"] = delta.has_value();
    ctx->save_for_backward({out.sum, weight, out.rstd});
    ctx->set_materialize_grads(false);
    return {out.sum, out.norm};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const bool has_delta = ctx->saved_data["has_delta"].toBool();
    const auto of_both = [&](const at::Tensor& dx, const at::Tensor& dweight) -> variable_list {
      return {dx, has_delta ? dx : at::Tensor(), dweight, at::Tensor()};
    };
    if (!grads[1].defined()) return of_both(grads[0], at::Tensor());
    const at::Tensor before = grads[0].defined() ? grads[0].contiguous() : grads[0];
    const WeightGrad dw = weight_grad(saved[1]);
    const at::Tensor dx =
        ops::backward(grads[1].contiguous(), saved[0], saved[1], saved[2], before, dw.to);
    return of_both(dx, dw.returned);
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
  parallel_for(rows, kForwardGrain, [&](std::int64_t begin, std::int64_t end) {
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

// dweight: q's, then k's, [2 * dim].
void norm_heads_backward(const Runs& runs, const float* dy, const float* x,
                         const float* const weight[2], const float* rstd, float* dx, float* dweight,
                         std::int64_t rows) {
  const auto part = [&](std::int64_t begin, std::int64_t end, float* to) {
    for (std::int64_t t = begin; t < end; ++t) {
      for (int run = 0; run < 2; ++run) {
        const std::int64_t at = t * runs.width + runs.first(run) * runs.dim;
        cpu_kernels().rms_norm_backward(dy + at, x + at, weight[run],
                                        rstd + t * runs.normed() + runs.first(run), nullptr,
                                        dx + at, to + run * runs.dim, runs.heads[run], runs.dim);
      }
    }
  };
  add_pieces(rows, 2 * runs.dim, dweight, part);
}

struct HeadNorm : torch::autograd::Function<HeadNorm> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& qkv, const at::Tensor& q_weight,
                            const at::Tensor& k_weight, std::int64_t heads, std::int64_t kv_heads,
                            double eps) {
    ctx->saved_data["heads"] = heads;
    ctx->saved_data["kv_heads"] = kv_heads;
    if (device() != nullptr) {
      const auto [y, rstd] =
          gpu::head_norm(qkv, {heads, kv_heads, q_weight, k_weight}, static_cast<float>(eps));
      ctx->save_for_backward({qkv, q_weight, k_weight, rstd});
      return y;
    }
    const Runs runs{{heads, kv_heads}, q_weight.numel(), qkv.size(1)};
    at::Tensor y = qkv.clone(), rstd = at::empty({qkv.size(0), runs.normed()}, qkv.options());
    const float* const weight[2] = {q_weight.const_data_ptr<float>(),
                                    k_weight.const_data_ptr<float>()};
    norm_heads(runs, qkv.const_data_ptr<float>(), weight, y.data_ptr<float>(),
               rstd.data_ptr<float>(), qkv.size(0), static_cast<float>(eps));
    ctx->save_for_backward({qkv, q_weight, k_weight, rstd});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor dy = grads[0].contiguous();
    const std::int64_t heads = ctx->saved_data["heads"].toInt();
    const std::int64_t kv_heads = ctx->saved_data["kv_heads"].toInt();
    if (device() != nullptr) {
      const WeightGrad dq = weight_grad(saved[1]), dk = weight_grad(saved[2]);
      return {gpu::head_norm_backward(dy, saved[0], {heads, kv_heads, saved[1], saved[2]}, saved[3],
                                      dq.to, dk.to),
              dq.returned,
              dk.returned,
              at::Tensor(),
              at::Tensor(),
              at::Tensor()};
    }
    const Runs runs{{heads, kv_heads}, saved[1].numel(), dy.size(1)};
    const at::Tensor dx = dy.clone(), dweight = at::zeros({2, runs.dim}, dy.options());
    const float* const weight[2] = {saved[1].const_data_ptr<float>(),
                                    saved[2].const_data_ptr<float>()};
    norm_heads_backward(runs, dy.const_data_ptr<float>(), saved[0].const_data_ptr<float>(), weight,
                        saved[3].const_data_ptr<float>(), dx.data_ptr<float>(),
                        dweight.data_ptr<float>(), dy.size(0));
    return {dx, dweight[0], dweight[1], at::Tensor(), at::Tensor(), at::Tensor()};
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
  if (device() != nullptr) {
    return gpu::head_norm(qkv, {heads, kv_heads, q_weight, k_weight}, eps).first;
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
  if (!at::GradMode::is_enabled()) return forward(x, at::Tensor(), weight, eps).norm;
  return RmsNorm::apply(x, weight, static_cast<double>(eps));
}

std::pair<at::Tensor, at::Tensor> add_norm(const at::Tensor& x, const at::Tensor& delta,
                                           const at::Tensor& weight, float eps) {
  const bool has_delta = delta.defined() || device() == nullptr;
  QED_CHECK(x.dim() == 2 && x.is_contiguous() && weight.numel() == x.size(1) &&
                (!has_delta || (delta.is_contiguous() && delta.sizes() == x.sizes())),
            "[add_norm] x ", x.sizes(), ", weight ", weight.sizes());
  if (!at::GradMode::is_enabled()) {
    const Normed out = forward(x, delta, weight, eps);
    return {out.sum, out.norm};
  }
  const variable_list out = AddRmsNorm::apply(
      x, delta.defined() ? std::optional(delta) : std::nullopt, weight, static_cast<double>(eps));
  return {out[0], out[1]};
}

}  // namespace qed::ops
