#include "core/ops/attention.h"

#include "core/ops/cpu_kernels.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 16;  // rows per piece of work

AttentionShape kernel_shape(const Heads& h, std::int64_t kv_stride) {
  return {h.heads, h.kv_heads, h.dim, kv_stride, 1.0f / std::sqrt(static_cast<float>(h.dim))};
}

// Attends for every row; `keys(t)` says where the keys of row t are. lse [T, heads] may be null.
template <class Keys>
void attend(const at::Tensor& qkv, const AttentionShape& shape, Keys&& keys, float* out,
            float* lse) {
  const float* base = qkv.const_data_ptr<float>();
  const std::int64_t width = qkv.size(1), out_width = shape.heads * shape.head_dim;
  parallel_for(qkv.size(0), kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> scratch;
    for (std::int64_t t = begin; t < end; ++t) {
      const AttentionRow row = keys(t);
      scratch.resize(std::max<std::size_t>(scratch.size(), num_panels(row.num_keys) * kLanes));
      cpu_kernels().attention(shape, row, base + t * width, out + t * out_width,
                              lse != nullptr ? lse + t * shape.heads : nullptr, scratch.data());
    }
  });
}

// The packed case. Returns out [T, heads * dim]; fills lse where it is not null.
at::Tensor forward(const at::Tensor& qkv, const Heads& h, std::span<const std::int64_t> offset,
                   float* lse) {
  const std::int64_t width = h.qkv_width();
  const float* base = qkv.const_data_ptr<float>();
  std::vector<std::int64_t> start(qkv.size(0));  // first row of the row's sequence
  for (std::size_t b = 0; b + 1 < offset.size(); ++b) {
    std::fill(start.begin() + offset[b], start.begin() + offset[b + 1], offset[b]);
  }
  at::Tensor out = at::empty({qkv.size(0), h.heads * h.dim}, qkv.options());
  const float* k = base + h.heads * h.dim;
  attend(
      qkv, kernel_shape(h, width),
      [&](std::int64_t t) {
        const float* first = k + start[t] * width;
        return AttentionRow{first, first + h.kv_width(), t - start[t] + 1};
      },
      out.data_ptr<float>(), lse);
  return out;
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& qkv, const Heads& h,
                            std::span<const std::int64_t> offset) {
    at::Tensor lse = at::empty({qkv.size(0), h.heads}, qkv.options());
    at::Tensor out = ops::forward(qkv, h, offset, lse.data_ptr<float>());
    ctx->save_for_backward({qkv, out, lse});
    ctx->saved_data["offset"] = std::vector<std::int64_t>(offset.begin(), offset.end());
    ctx->saved_data["heads"] = std::vector<std::int64_t>{h.heads, h.kv_heads, h.dim};
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor dout = grads[0].contiguous();
    const auto offset = ctx->saved_data["offset"].toIntVector();
    const auto heads = ctx->saved_data["heads"].toIntVector();
    const Heads h{heads[0], heads[1], heads[2]};
    const std::int64_t width = h.qkv_width(), out_width = h.heads * h.dim;
    const std::int64_t k_at = out_width, v_at = k_at + h.kv_width();
    const AttentionShape shape = kernel_shape(h, width);
    at::Tensor dqkv = at::zeros_like(saved[0]);
    const float *qkv = saved[0].const_data_ptr<float>(), *out = saved[1].const_data_ptr<float>();
    const float *lse = saved[2].const_data_ptr<float>(), *d = dout.const_data_ptr<float>();
    float* to = dqkv.data_ptr<float>();
    const auto tasks = static_cast<std::int64_t>(offset.size() - 1) * h.kv_heads;
    parallel_for(tasks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t first = offset[task / h.kv_heads];
        const std::int64_t length = offset[task / h.kv_heads + 1] - first;
        const float* x = qkv + first * width;
        float* dx = to + first * width;
        cpu_kernels().attention_backward(shape, task % h.kv_heads, length, x, width, x + k_at,
                                         x + v_at, out + first * out_width, d + first * out_width,
                                         out_width, lse + first * h.heads, dx, width, dx + k_at,
                                         dx + v_at, width);
      }
    });
    return {dqkv, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor attention(const at::Tensor& qkv, const Heads& shape,
                     std::span<const std::int64_t> offset) {
  QED_CHECK(qkv.dim() == 2 && qkv.is_contiguous() && qkv.size(1) == shape.qkv_width() &&
                !offset.empty() && offset.front() == 0 && offset.back() == qkv.size(0),
            "[attention] qkv ", qkv.sizes(), ", heads ", shape.heads, "/", shape.kv_heads);
  if (!at::GradMode::is_enabled()) return forward(qkv, shape, offset, nullptr);
  return Attention::apply(qkv, shape, offset);
}

at::Tensor attention_cached(const at::Tensor& qkv, const Heads& shape, const CacheLayer& cache,
                            std::span<const CacheRow> rows) {
  QED_CHECK(qkv.dim() == 2 && qkv.size(1) == shape.qkv_width() &&
                qkv.size(0) == static_cast<std::int64_t>(rows.size()),
            "[attention_cached] qkv ", qkv.sizes(), ", rows ", rows.size());
  const std::int64_t width = shape.qkv_width(), kv = shape.kv_width();
  const float* k = qkv.const_data_ptr<float>() + shape.heads * shape.dim;
  const auto place = [&](const CacheRow& r) { return (r.slot * cache.capacity + r.position) * kv; };
  for (std::size_t t = 0; t < rows.size(); ++t) {
    QED_CHECK(rows[t].position < cache.capacity, "[attention_cached] position ", rows[t].position);
    std::copy_n(k + t * width, kv, cache.k + place(rows[t]));
    std::copy_n(k + t * width + kv, kv, cache.v + place(rows[t]));
  }
  at::Tensor out = at::empty({qkv.size(0), shape.heads * shape.dim}, qkv.options());
  attend(
      qkv, kernel_shape(shape, kv),
      [&](std::int64_t t) {
        const std::int64_t first = place({rows[t].slot, 0});
        return AttentionRow{cache.k + first, cache.v + first, rows[t].position + 1};
      },
      out.data_ptr<float>(), nullptr);
  return out;
}

}  // namespace qed::ops
