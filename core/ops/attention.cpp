#include "core/ops/attention.h"

#include "core/ops/cpu_kernels.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kTileRows = 16;  // query rows of a tile, about

AttentionShape kernel_shape(const Heads& h, std::int64_t kv_stride) {
  return {h.heads, h.kv_heads, h.dim, kv_stride, 1.0f / std::sqrt(static_cast<float>(h.dim))};
}

std::int64_t padded_dim(const Heads& h) { return num_panels(h.dim) * kLanes; }
std::int64_t head_floats(const Heads& h) { return kLanes * (h.dim + padded_dim(h)); }

// One row's key or value, written to its page.
void write_row(const Heads& h, const float* k, const float* v, std::int64_t position, float* page) {
  const std::int64_t lane = position % kLanes;
  for (std::int64_t head = 0; head < h.kv_heads; ++head, k += h.dim, v += h.dim) {
    float* keys = page + head * head_floats(h);
    for (std::int64_t d = 0; d < h.dim; ++d) keys[d * kLanes + lane] = k[d];
    std::copy_n(v, h.dim, keys + h.dim * kLanes + lane * padded_dim(h));
  }
}

void write_pages(const float* qkv, const Heads& h, float* pool, std::span<const CacheRun> runs) {
  const std::int64_t width = h.qkv_width(), k_at = h.heads * h.dim;
  const auto write = [&](const CacheRun& run) {
    for (std::int64_t i = 0; i < run.num_rows; ++i) {
      const float* k = qkv + (run.first_row + i) * width + k_at;
      const std::int64_t position = run.position + i;
      write_row(h, k, k + h.kv_width(), position,
                pool + run.pages[position / kLanes] * page_floats(h));
    }
  };
  parallel_for(static_cast<std::int64_t>(runs.size()), 8,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) write(runs[i]);
               });
}

// Some rows of a run and one kv head.
struct Tile {
  const CacheRun* run;
  std::int64_t first, count;  // rows of the run
  std::int64_t kv_head;
};

std::vector<Tile> cut(const Heads& h, std::span<const CacheRun> runs) {
  const std::int64_t group = h.heads / h.kv_heads;
  const std::int64_t step = std::max<std::int64_t>(1, kTileRows / group);
  std::vector<Tile> tiles;
  for (const CacheRun& run : runs) {
    for (std::int64_t first = 0; first < run.num_rows; first += step) {
      for (std::int64_t head = 0; head < h.kv_heads; ++head) {
        tiles.push_back({&run, first, std::min(step, run.num_rows - first), head});
      }
    }
  }
  return tiles;
}

// What a thread needs to run tiles.
struct Scratch {
  std::vector<const float*> q;
  std::vector<float*> out, lse;
  std::vector<std::int64_t> num_keys;
  std::vector<float> scores;
};

// `base` [T, qkv width], `out` [T, heads * dim], `lse` [T, heads] or null.
void run_tile(const Tile& tile, const Heads& h, const float* base, const float* pool, float* out,
              float* lse, Scratch& s) {
  const std::int64_t group = h.heads / h.kv_heads, first_head = tile.kv_head * group;
  s.q.clear(), s.out.clear(), s.lse.clear(), s.num_keys.clear();
  for (std::int64_t i = tile.first; i < tile.first + tile.count; ++i) {
    const std::int64_t row = tile.run->first_row + i;
    for (std::int64_t head = first_head; head < first_head + group; ++head) {
      s.q.push_back(base + row * h.qkv_width() + head * h.dim);
      s.out.push_back(out + (row * h.heads + head) * h.dim);
      if (lse != nullptr) s.lse.push_back(lse + row * h.heads + head);
      s.num_keys.push_back(tile.run->position + i + 1);
    }
  }
  const auto rows = static_cast<std::int64_t>(s.q.size());
  s.scores.resize(
      std::max<std::size_t>(s.scores.size(), rows * num_panels(s.num_keys.back()) * kLanes));
  cpu_kernels().attention({.rows = rows,
                           .q = s.q.data(),
                           .out = s.out.data(),
                           .lse = lse != nullptr ? s.lse.data() : nullptr,
                           .num_keys = s.num_keys.data(),
                           .kv = pool + tile.kv_head * head_floats(h),
                           .pages = tile.run->pages,
                           .page_stride = page_floats(h),
                           .head_dim = h.dim,
                           .scale = 1.0f / std::sqrt(static_cast<float>(h.dim)),
                           .scratch = s.scores.data()});
}

at::Tensor attend(const at::Tensor& qkv, const Heads& h, float* pool,
                  std::span<const CacheRun> runs, float* lse) {
  const float* base = qkv.const_data_ptr<float>();
  write_pages(base, h, pool, runs);
  at::Tensor result = at::empty({qkv.size(0), h.heads * h.dim}, qkv.options());
  float* out = result.data_ptr<float>();
  const std::vector<Tile> tiles = cut(h, runs);
  parallel_for(static_cast<std::int64_t>(tiles.size()), 1,
               [&](std::int64_t begin, std::int64_t end) {
                 Scratch scratch;
                 for (std::int64_t i = begin; i < end; ++i) {
                   run_tile(tiles[i], h, base, pool, out, lse, scratch);
                 }
               });
  return result;
}

// The packed case: pages made for this call alone. Fills lse [T, heads] where it is not null.
at::Tensor forward(const at::Tensor& qkv, const Heads& h, std::span<const std::int64_t> offset,
                   float* lse) {
  std::vector<CacheRun> runs;
  std::vector<std::int32_t> pages(num_panels(qkv.size(0)) +
                                  static_cast<std::int64_t>(offset.size()));
  std::iota(pages.begin(), pages.end(), 0);
  std::int64_t num_pages = 0;
  for (std::size_t b = 0; b + 1 < offset.size(); ++b) {
    const std::int64_t length = offset[b + 1] - offset[b];
    runs.push_back({offset[b], length, 0, pages.data() + num_pages});
    num_pages += num_panels(length);
  }
  at::Tensor pool = at::empty({num_pages * page_floats(h)}, qkv.options());
  return attend(qkv, h, pool.data_ptr<float>(), runs, lse);
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

std::int64_t page_floats(const Heads& shape) { return shape.kv_heads * head_floats(shape); }

at::Tensor attention(const at::Tensor& qkv, const Heads& shape,
                     std::span<const std::int64_t> offset) {
  QED_CHECK(qkv.dim() == 2 && qkv.is_contiguous() && qkv.size(1) == shape.qkv_width() &&
                !offset.empty() && offset.front() == 0 && offset.back() == qkv.size(0),
            "[attention] qkv ", qkv.sizes(), ", heads ", shape.heads, "/", shape.kv_heads);
  if (!at::GradMode::is_enabled()) return forward(qkv, shape, offset, nullptr);
  return Attention::apply(qkv, shape, offset);
}

at::Tensor attention_paged(const at::Tensor& qkv, const Heads& shape, float* pool,
                           std::span<const CacheRun> runs) {
  std::int64_t rows = 0;
  for (const CacheRun& run : runs) rows += run.num_rows;
  QED_CHECK(qkv.dim() == 2 && qkv.is_contiguous() && qkv.size(1) == shape.qkv_width() &&
                qkv.size(0) == rows,
            "[attention_paged] qkv ", qkv.sizes(), ", rows ", rows);
  return attend(qkv, shape, pool, runs, nullptr);
}

}  // namespace qed::ops
