#include "core/ops/token_logp.h"

#include "core/ops/distribution.h"
#include "core/ops/gpu.h"
#include "core/ops/matrix.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 16;  // rows per piece of work

// The arguments. target and inv_temperature belong to tensors that outlive this.
struct Rows {
  at::Tensor h, w;
  std::int64_t vocab;
  const std::int64_t* target;
  const float* inv_temperature;
  const Support& support;

  std::int64_t width() const { return num_panels(vocab) * kLanes; }
  std::span<const std::int32_t> ids(std::int64_t r) const {
    if (support.offset.empty()) return {};
    return std::span(support.ids)
        .subspan(support.offset[r], support.offset[r + 1] - support.offset[r]);
  }
  // The logits that row r is drawn from, without the truncation.
  std::span<const float> changed(std::int64_t r, std::span<const float> logits,
                                 float* slope = nullptr) const {
    return support.change ? support.change(r, logits, slope) : logits;
  }
  // Logits of rows begin .. end-1 to z [end - begin, width]; columns past vocab stay as they are.
  void logits(std::int64_t begin, std::int64_t end, float* z) const {
    const std::int64_t dim = h.size(1);
    Gemm g{.rows = end - begin,
           .cols = vocab,
           .depth = dim,
           .a = h.const_data_ptr<float>() + begin * dim,
           .a_row = dim,
           .a_col = 1,
           .c = z,
           .c_row = width(),
           .c_panel = kLanes};
    set_matrix(g, w);
    gemm(g);
  }
};

// Calls f(begin, end, z) chunk by chunk; z [end - begin, width], zero past vocab at first.
template <class F>
void for_each_chunk(const Rows& rows, F&& f) {
  const std::int64_t chunk = logits_rows(rows.vocab);
  std::vector<float> z(std::min(chunk, rows.h.size(0)) * rows.width(), 0.0f);
  for (std::int64_t begin = 0; begin < rows.h.size(0); begin += chunk) {
    const std::int64_t end = std::min(begin + chunk, rows.h.size(0));
    rows.logits(begin, end, z.data());
    f(begin, end, z.data());
  }
}

void forward(const Rows& rows, float* logp, float* entropy) {
  for_each_chunk(rows, [&](std::int64_t begin, std::int64_t end, const float* z) {
    parallel_for(end - begin, kGrain, [&](std::int64_t from, std::int64_t to) {
      std::vector<float> scratch;
      for (std::int64_t r = begin + from; r < begin + to; ++r) {
        const std::span<const float> row(z + (r - begin) * rows.width(), rows.vocab);
        const float scale = rows.inv_temperature[r];
        const RowSoftmax full = softmax(row, scale);
        entropy[r] = cpu_kernels().row_entropy(row.data(), rows.vocab, scale, full);
        const auto ids = rows.ids(r);
        const auto changed = rows.changed(r, row);
        const bool is_full = ids.empty() && changed.data() == row.data();
        const RowSoftmax kept = is_full ? full : softmax(supported(changed, ids, scratch), scale);
        logp[r] = logp_of(changed[rows.target[r]], scale, kept);
      }
    });
  });
}

// d entropy / d scaled logits: -p (log p + H) (the derivative of -sum of p log p).
std::vector<float> entropy_gradient(std::span<const float> logits, float scale) {
  const auto n = static_cast<std::int64_t>(logits.size());
  const RowSoftmax stats = softmax(logits, scale);
  std::vector<float> out(logits.size());
  cpu_kernels().row_probs(logits.data(), n, scale, stats, out.data());
  // log p + H, with log p = scaled - max - log sum.
  const float shift =
      cpu_kernels().row_entropy(logits.data(), n, scale, stats) - stats.max - std::log(stats.sum);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] *= -(logits[i] * scale + shift);
  return out;
}

// Turns the logits of row r into d loss / d logits, given d loss / d logp and d loss / d entropy.
void backward_row(const Rows& rows, std::int64_t r, float dlogp, float dentropy, float* z,
                  std::vector<float>& scratch) {
  const float scale = rows.inv_temperature[r], d = dlogp * scale;
  const auto ids = rows.ids(r);
  const std::span<const float> all(z, static_cast<std::size_t>(rows.vocab));
  std::vector<float> of_entropy;
  if (dentropy != 0) of_entropy = entropy_gradient(all, scale);
  std::vector<float> slope;  // of the changed logits, where the row is changed
  if (rows.support.change) {
    slope.assign(all.size(), 1.0f);
    const auto changed = rows.changed(r, all, slope.data());
    if (changed.data() != z) std::ranges::copy(changed, z);
  }
  const std::span<const float> logits = supported(all, ids, scratch);
  const auto n = static_cast<std::int64_t>(logits.size());
  const RowSoftmax s = softmax(logits, scale);
  if (ids.empty()) {
    cpu_kernels().row_probs(z, n, scale, s, z);
    for (std::int64_t i = 0; i < n; ++i) z[i] *= -d;
  } else {
    cpu_kernels().row_probs(logits.data(), n, scale, s, scratch.data());
    std::fill_n(z, rows.vocab, 0.0f);
    for (std::int64_t i = 0; i < n; ++i) z[ids[i]] = -d * scratch[i];
  }
  z[rows.target[r]] += d;
  for (std::size_t i = 0; i < slope.size(); ++i) z[i] *= slope[i];
  for (std::size_t i = 0; i < of_entropy.size(); ++i) z[i] += dentropy * scale * of_entropy[i];
}

// dentropy may be null: 0.
void backward(const Rows& rows, const float* dlogp, const float* dentropy, float* dh, float* dw) {
  const std::int64_t dim = rows.h.size(1), width = rows.width();
  const TransposedMatrix turned(rows.w, rows.vocab);
  for_each_chunk(rows, [&](std::int64_t begin, std::int64_t end, float* z) {
    parallel_for(end - begin, kGrain, [&](std::int64_t from, std::int64_t to) {
      std::vector<float> scratch;
      for (std::int64_t r = begin + from; r < begin + to; ++r) {
        backward_row(rows, r, dlogp[r], dentropy == nullptr ? 0 : dentropy[r],
                     z + (r - begin) * width, scratch);
      }
    });
    turned.times(z, end - begin, width, dh + begin * dim);
    gemm({.rows = dim,
          .cols = rows.vocab,
          .depth = end - begin,
          .a = rows.h.const_data_ptr<float>() + begin * dim,
          .a_row = 1,
          .a_col = dim,
          .b = z,
          .b_panel = kLanes,
          .b_depth = width,
          .c = dw,
          .c_row = kLanes,
          .c_panel = dim * kLanes,
          .accumulate = true});
  });
}

// Keeps the support alive in the autograd graph.
struct SupportHolder : torch::CustomClassHolder {
  explicit SupportHolder(std::shared_ptr<const Support> s) : support(std::move(s)) {}
  std::shared_ptr<const Support> support;
};

struct Function : torch::autograd::Function<Function> {
  using Holder = c10::intrusive_ptr<torch::CustomClassHolder>;

  static variable_list forward(AutogradContext* ctx, const at::Tensor& h, const at::Tensor& w,
                               std::int64_t vocab, const at::Tensor& target,
                               const at::Tensor& inv_temperature, const Holder& holder) {
    at::Tensor logp = at::empty({h.size(0)}, at::kFloat), entropy = at::empty_like(logp);
    if (device() != nullptr) {
      gpu::token_logp(gpu_input({h, w, target, inv_temperature}, vocab, holder),
                      logp.data_ptr<float>(), entropy.data_ptr<float>());
    } else {
      ops::forward(rows({h, w, target, inv_temperature}, vocab, holder), logp.data_ptr<float>(),
                   entropy.data_ptr<float>());
    }
    ctx->save_for_backward({h, w, target, inv_temperature});
    ctx->saved_data["vocab"] = vocab;
    ctx->saved_data["support"] = c10::IValue::make_capsule(holder);
    ctx->set_materialize_grads(false);  // most losses use logp alone
    return {logp, entropy};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Holder holder = ctx->saved_data["support"].toCapsule();
    const at::Tensor dlogp =
        grads[0].defined() ? grads[0].contiguous() : at::zeros_like(saved[3]);  // as [R]
    const at::Tensor dentropy = grads[1].defined() ? grads[1].contiguous() : at::Tensor();
    const WeightGrad dw = weight_grad(saved[1]);
    if (device() != nullptr) {
      const auto in = gpu_input(saved, ctx->saved_data["vocab"].toInt(), holder);
      return {gpu::token_logp_backward(in, dlogp, dentropy, dw.to),
              dw.returned,
              at::Tensor(),
              at::Tensor(),
              at::Tensor(),
              at::Tensor()};
    }
    at::Tensor dh = at::empty(saved[0].sizes(), saved[0].options());
    ops::backward(rows(saved, ctx->saved_data["vocab"].toInt(), holder),
                  dlogp.const_data_ptr<float>(),
                  dentropy.defined() ? dentropy.const_data_ptr<float>() : nullptr,
                  dh.data_ptr<float>(), dw.to.data_ptr<float>());
    return {dh, dw.returned, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }

 private:
  static const Support& support_of(const Holder& holder) {
    return *static_cast<const SupportHolder&>(*holder).support;
  }
  static gpu::LogpInput gpu_input(const variable_list& args, std::int64_t vocab,
                                  const Holder& holder) {
    return {args[0], args[1], vocab, args[2], args[3], support_of(holder)};
  }
  static Rows rows(const variable_list& args, std::int64_t vocab, const Holder& holder) {
    return {args[0],
            args[1],
            vocab,
            args[2].const_data_ptr<std::int64_t>(),
            args[3].const_data_ptr<float>(),
            support_of(holder)};
  }
};

}  // namespace

// Many rows at a time save waits of the threads; the cache bounds them.
std::int64_t logits_rows(std::int64_t vocab) {
  return std::max<std::int64_t>(256, (1 << 18) / (num_panels(vocab) * kLanes));
}

TokenLogp token_logp(const at::Tensor& h, const at::Tensor& w, std::int64_t vocab,
                     const at::Tensor& target, const at::Tensor& inv_temperature,
                     std::shared_ptr<const Support> support) {
  QED_CHECK(h.dim() == 2 && h.is_contiguous() && is_matrix(w, vocab, h.size(1)) &&
                target.numel() == h.size(0) && inv_temperature.numel() == h.size(0),
            "[token_logp] h ", h.sizes(), ", w ", w.sizes(), ", target ", target.sizes());
  const Function::Holder holder = c10::make_intrusive<SupportHolder>(std::move(support));
  variable_list out = Function::apply(h, w, vocab, target, inv_temperature, holder);
  return {out[0], out[1]};
}

}  // namespace qed::ops
