// Attention of packed sequences, for training: pages that live as long as the call, and a backward.

#include "core/ops/attention_pages.h"
#include "core/ops/cpu_kernels.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Where sequences lie in a packed batch.
struct Layout {
  std::span<const std::int64_t> offset, prefix;

  std::int64_t num_seqs() const { return static_cast<std::int64_t>(offset.size()) - 1; }
  std::int64_t length(std::int64_t b) const { return offset[b + 1] - offset[b]; }
  std::int64_t prefix_of(std::int64_t b) const { return prefix.empty() ? -1 : prefix[b]; }
  std::int64_t before(std::int64_t b) const { return prefix_of(b) < 0 ? 0 : length(prefix_of(b)); }
};

// The packed case: pages made for this call alone. Whole pages of a prefix are shared, and what is
// left of it is written once for each sequence. Fills lse [T, heads] where it is not null.
at::Tensor forward(const at::Tensor& qkv, const Heads& h, const Layout& layout, float* lse) {
  std::vector<std::vector<std::int32_t>> pages(static_cast<std::size_t>(layout.num_seqs()));
  std::vector<CacheRun> runs, written;
  std::int32_t num_pages = 0;
  for (std::int64_t b = 0; b < layout.num_seqs(); ++b) {
    auto& own = pages[static_cast<std::size_t>(b)];
    const std::int64_t before = layout.before(b), shared = before / kLanes;
    if (before > 0) {
      const auto& from = pages[static_cast<std::size_t>(layout.prefix_of(b))];
      own.assign(from.begin(), from.begin() + shared);
    }
    own.resize(static_cast<std::size_t>(num_panels(before + layout.length(b))));
    std::iota(own.begin() + shared, own.end(), num_pages);
    num_pages += static_cast<std::int32_t>(own.size()) - static_cast<std::int32_t>(shared);
    runs.push_back({layout.offset[b], layout.length(b), before, own.data()});
    if (before % kLanes == 0) continue;
    const std::int64_t row = layout.offset[layout.prefix_of(b)] + shared * kLanes;
    written.push_back({row, before % kLanes, shared * kLanes, own.data()});
  }
  written.insert(written.end(), runs.begin(), runs.end());
  at::Tensor pool = at::empty({num_pages * page_floats(h)}, qkv.options());
  write_pages(qkv.const_data_ptr<float>(), h, pool.data_ptr<float>(), written);
  return attend(qkv, h, pool.const_data_ptr<float>(), runs, lse);
}

// The backward of a batch. Gradients of prefixes go to a buffer of the sequence that made them, and
// are added up in the order of the sequences.
class Backward {
 public:
  Backward(const at::Tensor& qkv, const at::Tensor& out, const at::Tensor& lse,
           const at::Tensor& dout, const Heads& h, const Layout& layout)
      : h_(h),
        layout_(layout),
        qkv_(qkv.const_data_ptr<float>()),
        out_(out.const_data_ptr<float>()),
        lse_(lse.const_data_ptr<float>()),
        dout_(dout.const_data_ptr<float>()),
        dqkv_(at::empty_like(qkv)) {
    std::int64_t rows = 0;
    for (std::int64_t b = 0; b < layout.num_seqs(); ++b) {
      shared_first_.push_back(rows);
      rows += layout.before(b);
    }
    shared_.resize(static_cast<std::size_t>(rows * 2 * h.kv_width()));
  }

  at::Tensor run() {
    parallel_for(layout_.num_seqs() * h_.kv_heads, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_head(i / h_.kv_heads, i % h_.kv_heads);
    });
    if (!shared_.empty()) add_shared();
    return dqkv_;
  }

 private:
  std::int64_t k_at(std::int64_t kv_head) const { return (h_.heads + kv_head) * h_.dim; }
  // The row of position i of a sequence, its prefix's rows included.
  std::int64_t row(std::int64_t b, std::int64_t i) const {
    const std::int64_t before = layout_.before(b);
    return i < before ? layout_.offset[layout_.prefix_of(b)] + i : layout_.offset[b] + i - before;
  }

  void run_head(std::int64_t b, std::int64_t kv_head) {
    thread_local std::vector<float> buffer;
    const std::int64_t length = layout_.length(b), before = layout_.before(b);
    const std::int64_t num_keys = before + length, width = h_.qkv_width(), dim = padded_dim(h_);
    const std::int64_t group = h_.heads / h_.kv_heads, first_head = kv_head * group;
    const std::int64_t size = num_panels(num_keys) * kLanes * dim;
    buffer.assign(static_cast<std::size_t>(4 * size), 0.0f);
    scratch_of_thread().resize(
        std::max(scratch_of_thread().size(),
                 static_cast<std::size_t>(attention_backward_floats(num_keys, group, h_.dim))));
    float *keys = buffer.data(), *values = keys + size, *dkeys = values + size,
          *dvalues = dkeys + size;
    for (std::int64_t i = 0; i < num_keys; ++i) {
      const float* k = qkv_ + row(b, i) * width + k_at(kv_head);
      std::copy_n(k, h_.dim, keys + i * dim);
      std::copy_n(k + h_.kv_width(), h_.dim, values + i * dim);
    }
    const std::int64_t first = layout_.offset[b], head_at = first_head * h_.dim;
    const std::int64_t out_width = h_.heads * h_.dim;
    cpu_kernels().attention_backward({.rows = length,
                                      .num_keys = num_keys,
                                      .group = group,
                                      .head_dim = h_.dim,
                                      .scale = score_scale(h_),
                                      .q = qkv_ + first * width + head_at,
                                      .out = out_ + first * out_width + head_at,
                                      .dout = dout_ + first * out_width + head_at,
                                      .lse = lse_ + first * h_.heads + first_head,
                                      .dq = dqkv_.data_ptr<float>() + first * width + head_at,
                                      .q_stride = width,
                                      .out_stride = out_width,
                                      .lse_stride = h_.heads,
                                      .keys = keys,
                                      .values = values,
                                      .dkeys = dkeys,
                                      .dvalues = dvalues,
                                      .scratch = scratch_of_thread().data()});
    for (std::int64_t i = 0; i < num_keys; ++i) {
      float* to = i < before ? shared_row(b, i) + kv_head * h_.dim
                             : dqkv_.data_ptr<float>() + row(b, i) * width + k_at(kv_head);
      std::copy_n(dkeys + i * dim, h_.dim, to);
      std::copy_n(dvalues + i * dim, h_.dim, to + h_.kv_width());
    }
  }

  void add_shared() {
    const std::int64_t width = 2 * h_.kv_width();
    parallel_for(h_.kv_heads, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = 0; b < layout_.num_seqs(); ++b) {
        for (std::int64_t i = 0; i < layout_.before(b); ++i) {
          const float* from = shared_row(b, i);
          float* to = dqkv_.data_ptr<float>() + row(b, i) * h_.qkv_width() + k_at(0);
          for (std::int64_t at = 0; at < width; at += h_.kv_width()) {
            for (std::int64_t j = at + begin * h_.dim; j < at + end * h_.dim; ++j) to[j] += from[j];
          }
        }
      }
    });
  }

  // Keys' and values' gradients [2 * kv width] of position i of b's prefix, made by b.
  float* shared_row(std::int64_t b, std::int64_t i) {
    return shared_.data() + (shared_first_[static_cast<std::size_t>(b)] + i) * 2 * h_.kv_width();
  }
  static std::vector<float>& scratch_of_thread() {
    thread_local std::vector<float> scratch;
    return scratch;
  }

  const Heads& h_;
  const Layout& layout_;
  const float *qkv_, *out_, *lse_, *dout_;
  at::Tensor dqkv_;
  std::vector<std::int64_t> shared_first_;  // of each sequence
  std::vector<float> shared_;
};

struct Attention : torch::autograd::Function<Attention> {
  using Numbers = std::vector<std::int64_t>;

  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& qkv, const Heads& h,
                            const Layout& layout) {
    at::Tensor lse = at::empty({qkv.size(0), h.heads}, qkv.options());
    at::Tensor out = ops::forward(qkv, h, layout, lse.data_ptr<float>());
    ctx->save_for_backward({qkv, out, lse});
    ctx->saved_data["offset"] = Numbers(layout.offset.begin(), layout.offset.end());
    ctx->saved_data["prefix"] = Numbers(layout.prefix.begin(), layout.prefix.end());
    ctx->saved_data["heads"] = Numbers{h.heads, h.kv_heads, h.dim};
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Numbers offset = ctx->saved_data["offset"].toIntVector();
    const Numbers prefix = ctx->saved_data["prefix"].toIntVector();
    const Numbers heads = ctx->saved_data["heads"].toIntVector();
    const Heads h{heads[0], heads[1], heads[2]};
    const Layout layout{offset, prefix};
    const at::Tensor dout = grads[0].contiguous();
    return {Backward(saved[0], saved[1], saved[2], dout, h, layout).run(), at::Tensor(),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor attention(const at::Tensor& qkv, const Heads& shape,
                     std::span<const std::int64_t> offset, std::span<const std::int64_t> prefix) {
  QED_CHECK(qkv.dim() == 2 && qkv.is_contiguous() && qkv.size(1) == shape.qkv_width() &&
                !offset.empty() && offset.front() == 0 && offset.back() == qkv.size(0) &&
                (prefix.empty() || prefix.size() + 1 == offset.size()),
            "[attention] qkv ", qkv.sizes(), ", heads ", shape.heads, "/", shape.kv_heads);
  const Layout layout{offset, prefix};
  for (std::int64_t b = 0; b < layout.num_seqs(); ++b) {
    const std::int64_t p = layout.prefix_of(b);
    QED_CHECK(p < b && (p < 0 || layout.prefix_of(p) < 0), "[attention] prefix ", p, " of ", b);
  }
  if (!at::GradMode::is_enabled()) return forward(qkv, shape, layout, nullptr);
  return Attention::apply(qkv, shape, layout);
}

}  // namespace qed::ops
