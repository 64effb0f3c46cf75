#pragma once

// Bodies of paged attention, in two passes. First a block for each row, for some query heads that
// share keys, and for each split: 256 positions, counted from position 0 whatever the batch. Then
// the splits of a row are merged in their order. So a row's bits depend on its own keys alone.

#include "core/cuda/kernels/body.h"
#include "core/cuda/kernels/page_layout.h"

#include <cmath>

namespace qed::cuda {

// Query heads that share a kv head, in parts that a block takes.
inline QED_HOST_DEVICE std::int64_t num_parts(const AttentionArgs& a) {
  return (a.heads / a.kv_heads + kTileHeads - 1) / kTileHeads;
}

inline std::int64_t num_blocks(const AttentionArgs& a) {
  return a.rows * a.kv_heads * num_parts(a) * a.max_splits;
}

template <class T>
struct AttentionBody {
  using Shared = float;
  static constexpr std::int64_t kHeadFloats = kTileHeads * kThreads;
  static constexpr std::int64_t kShared = 2 * kHeadFloats + kTileHeads * kMaxHeadDim;
  static_assert(kThreads == kSplit, "a thread has a position of its own");
  AttentionArgs a;

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    const std::int64_t group = a.heads / a.kv_heads, parts = num_parts(a);
    const std::int64_t split = number % a.max_splits, tile = number / a.max_splits;
    const std::int64_t part = tile % parts, kv_head = tile / parts % a.kv_heads;
    const std::int64_t row = tile / parts / a.kv_heads;
    const std::int64_t begin = split * kSplit, left = a.num_keys[row] - begin;
    const int keys = static_cast<int>(left < kSplit ? left : kSplit);
    if (keys <= 0) return;
    const std::int64_t in_group = group - part * kTileHeads;
    const int heads = static_cast<int>(in_group < kTileHeads ? in_group : kTileHeads);
    const std::int64_t head = kv_head * group + part * kTileHeads;  // the first
    float *const scores = shared, *const tree = shared + kHeadFloats, *const q = tree + kHeadFloats;
    const PageLayout layout{a.kv_heads, a.dim};
    const T* const pool = static_cast<const T*>(a.pool);
    const std::int32_t* const pages = a.pages + a.sequence[row] * a.max_pages + begin / kPageSlots;

    const T* const from =
        static_cast<const T*>(a.qkv) + row * (a.heads + 2 * a.kv_heads) * a.dim + head * a.dim;
    block.each([=, *this](int thread) {
      for (std::int64_t i = thread; i < heads * a.dim; i += kThreads) q[i] = to_float(from[i]);
    });
    block.each([=, *this](int thread) {
      const T* const key = thread < keys ? pool + layout.key(pages[thread / kPageSlots], kv_head,
                                                             thread % kPageSlots, 0)
                                         : nullptr;
      for (int h = 0; h < heads; ++h) {
        float score = -INFINITY;
        if (key != nullptr) {
          score = 0;
          for (std::int64_t d = 0; d < a.dim; ++d) {
            score += q[h * a.dim + d] * to_float(key[d * kPageSlots]);
          }
          score *= a.scale;
        }
        scores[h * kThreads + thread] = tree[h * kThreads + thread] = score;
      }
    });
    for (int half = kThreads / 2; half > 0; half /= 2) {
      block.each([=](int thread) {
        if (thread >= half) return;
        for (int h = 0; h < heads; ++h) {
          float* const at = tree + h * kThreads + thread;
          at[0] = at[half] > at[0] ? at[half] : at[0];
        }
      });
    }
    // The sums' tree has no place of its own: the maxima move to where the queries were.
    block.each([=](int thread) {
      if (thread < heads) q[thread] = tree[thread * kThreads];
    });
    block.each([=](int thread) {
      for (int h = 0; h < heads; ++h) {
        const std::int64_t at = h * kThreads + thread;
        scores[at] = tree[at] = thread < keys ? std::exp(scores[at] - q[h]) : 0.0f;
      }
    });
    for (int half = kThreads / 2; half > 0; half /= 2) {
      block.each([=](int thread) {
        for (int h = 0; thread < half && h < heads; ++h) {
          tree[h * kThreads + thread] += tree[h * kThreads + thread + half];
        }
      });
    }
    block.each([=, *this](int thread) {
      const std::int64_t first = (row * a.heads + head) * a.max_splits + split;
      for (std::int64_t i = thread; i < heads * a.dim; i += kThreads) {
        const std::int64_t h = i / a.dim, d = i % a.dim;
        float sum = 0;
        for (int j = 0; j < keys; ++j) {
          const T* const value =
              pool + layout.value(pages[j / kPageSlots], kv_head, j % kPageSlots, d);
          sum += scores[h * kThreads + j] * to_float(*value);
        }
        a.part[(first + h * a.max_splits) * a.dim + d] = sum;
      }
      if (thread < heads) {
        a.part_max[first + thread * a.max_splits] = q[thread];
        a.part_sum[first + thread * a.max_splits] = tree[thread * kThreads];
      }
    });
  }
};

// i = (row * heads + head) * dim + d.
template <class T>
struct MergeBody {
  AttentionArgs a;

  std::int64_t size() const { return a.rows * a.heads * a.dim; }
  QED_DEVICE void operator()(std::int64_t i) const {
    const std::int64_t d = i % a.dim, row_head = i / a.dim, row = row_head / a.heads;
    const std::int64_t splits = (a.num_keys[row] + kSplit - 1) / kSplit;
    const std::int64_t first = row_head * a.max_splits;
    float max = a.part_max[first];
    for (std::int64_t s = 1; s < splits; ++s) {
      max = a.part_max[first + s] > max ? a.part_max[first + s] : max;
    }
    float sum = 0, out = 0;
    for (std::int64_t s = 0; s < splits; ++s) {
      const float weight = std::exp(a.part_max[first + s] - max);
      sum += weight * a.part_sum[first + s];
      out += weight * a.part[(first + s) * a.dim + d];
    }
    put(static_cast<T*>(a.out)[i], out / sum);
    if (d == 0 && a.lse != nullptr) a.lse[row_head] = max + std::log(sum);
  }
};

}  // namespace qed::cuda
