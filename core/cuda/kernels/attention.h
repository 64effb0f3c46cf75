#pragma once

// Bodies of paged attention, in two passes. First a block for each row, for some query heads that
// share keys, and for each split: 256 positions, counted from position 0 whatever the batch. Then
// the splits of a row are merged in their order. So a row's bits depend on its own keys alone.

#include "core/cuda/kernels/body.h"
#include "core/cuda/kernels/packed_sequence.h"
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

// What a block of the first pass does.
struct AttentionBlock {
  std::int64_t tile;                  // a row, or some of them
  std::int64_t kv_head, head, split;  // head: the first of `heads`
  std::int64_t begin;                 // the split's first position
  int heads;

  QED_DEVICE AttentionBlock(const AttentionArgs& a, std::int64_t number) {
    const std::int64_t group = a.heads / a.kv_heads, parts = num_parts(a);
    split = number % a.max_splits;
    begin = split * kSplit;
    const std::int64_t part = number / a.max_splits % parts;
    kv_head = number / a.max_splits / parts % a.kv_heads;
    head = kv_head * group + part * kTileHeads;
    tile = number / a.max_splits / parts / a.kv_heads;
    const std::int64_t in_group = group - part * kTileHeads;
    heads = static_cast<int>(in_group < kTileHeads ? in_group : kTileHeads);
  }
  // Keys of the split that a row sees; none where not above 0.
  QED_DEVICE int keys(const AttentionArgs& a, std::int64_t row) const {
    const std::int64_t left = a.num_keys[row] - begin;
    return static_cast<int>(left < kSplit ? left : kSplit);
  }
  // Where a row's first head begins in qkv.
  QED_DEVICE std::int64_t query(const AttentionArgs& a, std::int64_t row) const {
    return (row * (a.heads + 2 * a.kv_heads) + head) * a.dim;
  }
  // Where the results of head h of the block are, in numbers of heads and splits.
  QED_DEVICE std::int64_t part(const AttentionArgs& a, std::int64_t row, int h) const {
    return (row * a.heads + head + h) * a.max_splits + split;
  }
};

// Where the keys and values of a row's sequence are, from position `begin` of it on.
template <class T>
class KeyPlaces {
 public:
  QED_DEVICE KeyPlaces(const AttentionArgs& a, std::int64_t row, std::int64_t kv_head,
                       std::int64_t begin)
      : layout_{a.kv_heads, a.dim}, kv_head_(kv_head), begin_(begin) {
    const std::int64_t b = a.sequence[row];
    if (a.pool != nullptr) {
      from_ = static_cast<const T*>(a.pool);
      pages_ = a.pages + b * a.max_pages;
      return;
    }
    width_ = (a.heads + 2 * a.kv_heads) * a.dim;
    from_ = static_cast<const T*>(a.qkv) + (a.heads + kv_head) * a.dim;
    rows_ = PackedSequence(a.offset, a.prefix, b);
  }

  // Of a key, the next element is key_step() further; of a value, it is the next.
  QED_DEVICE std::int64_t key_step() const { return pages_ != nullptr ? kPageSlots : 1; }
  QED_DEVICE const T* key(std::int64_t j) const {
    const std::int64_t p = begin_ + j;
    if (pages_ == nullptr) return from_ + rows_.row(p) * width_;
    return from_ + layout_.key(pages_[p / kPageSlots], kv_head_, p % kPageSlots, 0);
  }
  QED_DEVICE const T* value(std::int64_t j) const {
    const std::int64_t p = begin_ + j;
    if (pages_ == nullptr) return from_ + rows_.row(p) * width_ + layout_.kv_heads * layout_.dim;
    return from_ + layout_.value(pages_[p / kPageSlots], kv_head_, p % kPageSlots, 0);
  }

 private:
  PageLayout layout_;
  std::int64_t kv_head_, begin_;
  const T* from_;
  const std::int32_t* pages_ = nullptr;
  PackedSequence rows_;
  std::int64_t width_ = 0;
};

template <class T>
struct AttentionBody {
  using Shared = float;
  static constexpr std::int64_t kHeadFloats = kTileHeads * kThreads;
  static constexpr std::int64_t kShared = 2 * kHeadFloats + kTileHeads * kMaxHeadDim;
  static_assert(kThreads == kSplit, "a thread has a position of its own");
  AttentionArgs a;

  std::int64_t num_blocks() const { return cuda::num_blocks(a); }

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    const AttentionBlock work(a, number);
    const std::int64_t row = work.tile;
    const int heads = work.heads, keys = work.keys(a, row);
    if (keys <= 0) return;
    float *const scores = shared, *const tree = shared + kHeadFloats, *const q = tree + kHeadFloats;
    const KeyPlaces<T> places(a, row, work.kv_head, work.begin);
    const T* const from = static_cast<const T*>(a.qkv) + work.query(a, row);

    block.each([=, *this](int thread) {
      for (std::int64_t i = thread; i < heads * a.dim; i += kThreads) q[i] = to_float(from[i]);
    });
    block.each([=, *this](int thread) {
      const T* const key = thread < keys ? places.key(thread) : nullptr;
      const std::int64_t step = places.key_step();
      for (int h = 0; h < heads; ++h) {
        float score = -INFINITY;
        if (key != nullptr) {
          score = 0;
          for (std::int64_t d = 0; d < a.dim; ++d) {
            score += q[h * a.dim + d] * to_float(key[d * step]);
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
      for (std::int64_t i = thread; i < heads * a.dim; i += kThreads) {
        const int h = static_cast<int>(i / a.dim);
        const std::int64_t d = i % a.dim;
        float sum = 0;
        for (int j = 0; j < keys; ++j) {
          sum += scores[h * kThreads + j] * to_float(places.value(j)[d]);
        }
        a.part[work.part(a, row, h) * a.dim + d] = sum;
      }
      if (thread < heads) {
        a.part_max[work.part(a, row, thread)] = q[thread];
        a.part_sum[work.part(a, row, thread)] = tree[thread * kThreads];
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
