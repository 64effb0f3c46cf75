#include "core/ops/attention_pages.h"

#include "core/ops/cpu_kernels.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

namespace qed::ops {

namespace {

constexpr std::int64_t kTileRows = 16;  // query rows of a tile, about

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

// A whole page at once, where heads are whole vectors: `k` and `v` of its first row, `stride` from
// row to row.
void write_page(const Heads& h, const float* k, const float* v, std::int64_t stride, float* page) {
  for (std::int64_t head = 0; head < h.kv_heads; ++head, k += h.dim, v += h.dim) {
    float* keys = page + head * head_floats(h);
    for (std::int64_t d = 0; d < h.dim; d += kLanes) {
      cpu_kernels().turn(k + d, stride, keys + d * kLanes, kLanes);
    }
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      std::copy_n(v + lane * stride, h.dim, keys + h.dim * kLanes + lane * h.dim);
    }
  }
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
                           .scale = score_scale(h),
                           .scratch = s.scores.data()});
}

}  // namespace

void write_pages(const float* qkv, const Heads& h, float* pool, std::span<const CacheRun> runs) {
  const std::int64_t width = h.qkv_width(), k_at = h.heads * h.dim;
  const bool has_vectors = h.dim % kLanes == 0;
  const auto write = [&](const CacheRun& run) {
    for (std::int64_t i = 0; i < run.num_rows;) {
      const float* k = qkv + (run.first_row + i) * width + k_at;
      const std::int64_t position = run.position + i;
      float* page = pool + run.pages[position / kLanes] * page_floats(h);
      if (has_vectors && position % kLanes == 0 && i + kLanes <= run.num_rows) {
        write_page(h, k, k + h.kv_width(), width, page);
        i += kLanes;
      } else {
        write_row(h, k, k + h.kv_width(), position, page);
        ++i;
      }
    }
  };
  parallel_for(static_cast<std::int64_t>(runs.size()), 8,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) write(runs[i]);
               });
}

at::Tensor attend(const at::Tensor& qkv, const Heads& h, const float* pool,
                  std::span<const CacheRun> runs, float* lse) {
  const float* base = qkv.const_data_ptr<float>();
  at::Tensor result = at::empty({qkv.size(0), h.heads * h.dim}, qkv.options());
  float* out = result.data_ptr<float>();
  const std::vector<Tile> tiles = cut(h, runs);
  parallel_for(static_cast<std::int64_t>(tiles.size()), 1,
               [&](std::int64_t begin, std::int64_t end) {
                 thread_local Scratch scratch;
                 for (std::int64_t i = begin; i < end; ++i) {
                   run_tile(tiles[i], h, base, pool, out, lse, scratch);
                 }
               });
  return result;
}

std::int64_t page_floats(const Heads& shape) { return shape.kv_heads * head_floats(shape); }

at::Tensor attention_paged(const at::Tensor& qkv, const Heads& shape, float* pool,
                           std::span<const CacheRun> runs) {
  std::int64_t rows = 0;
  for (const CacheRun& run : runs) rows += run.num_rows;
  QED_CHECK(qkv.dim() == 2 && qkv.is_contiguous() && qkv.size(1) == shape.qkv_width() &&
                qkv.size(0) == rows,
            "[attention_paged] qkv ", qkv.sizes(), ", rows ", rows);
  write_pages(qkv.const_data_ptr<float>(), shape, pool, runs);
  return attend(qkv, shape, pool, runs, nullptr);
}

}  // namespace qed::ops
