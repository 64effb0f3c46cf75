#pragma once

// The body of head_norm. A warp takes a vector, which is a head of a row. Where the output is
// another array, what follows the normed heads is copied, in vectors of the same size.

#include "core/cuda/kernels/norm.h"
#include "core/cuda/train_args.h"

namespace qed::cuda {

inline constexpr int kWarpsOfBlock = kThreads / kWarpSize;

// Vectors of a row that are looked at. Args: HeadNormArgs or HeadNormBackwardArgs.
template <class Args>
QED_HOST_DEVICE std::int64_t num_head_vectors(const Args& a, bool is_in_place) {
  return is_in_place ? a.heads + a.kv_heads : (a.width + a.dim - 1) / a.dim;
}

inline std::int64_t num_head_blocks(std::int64_t vectors) {
  return (vectors + kWarpsOfBlock - 1) / kWarpsOfBlock;
}

// The vector of a thread of block `number`.
struct HeadVector {
  std::int64_t row, head, at;  // at: its first element
  bool is_there, is_normed, is_query;
  Share share;

  template <class Args>
  QED_DEVICE HeadVector(const Args& a, bool is_in_place, std::int64_t number, int thread) {
    const std::int64_t vectors = num_head_vectors(a, is_in_place);
    const std::int64_t vector = number * kWarpsOfBlock + thread / kWarpSize;
    row = vector / vectors;
    head = vector % vectors;
    at = row * a.width + head * a.dim;
    is_there = row < a.rows;
    is_normed = is_there && head < a.heads + a.kv_heads;
    is_query = head < a.heads;
    const std::int64_t left = a.width - head * a.dim;
    share = {thread % kWarpSize, kWarpSize, left < a.dim ? left : a.dim};
  }

  // Its number among those that are normed.
  template <class Args>
  QED_DEVICE std::int64_t number(const Args& a) const {
    return row * (a.heads + a.kv_heads) + head;
  }
};

template <class T>
struct HeadNormBody {
  using Shared = float;
  static constexpr std::int64_t kShared = kThreads;
  HeadNormArgs a;

  QED_HOST_DEVICE bool is_in_place() const { return a.x == a.y; }
  std::int64_t num_blocks() const {
    return num_head_blocks(a.rows * num_head_vectors(a, is_in_place()));
  }

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    if (a.width % 4 == 0 && are_whole(a.dim, a.x, a.q_weight, a.k_weight, a.y)) {
      run<true>(block, number, shared);
    } else {
      run<false>(block, number, shared);
    }
  }

 private:
  template <bool kWhole, class Block>
  QED_DEVICE void run(const Block& block, std::int64_t number, float* shared) const {
    const T* const x = static_cast<const T*>(a.x);
    T* const y = static_cast<T*>(a.y);
    block.each([=, *this](int thread) {
      const HeadVector v(a, is_in_place(), number, thread);
      const T* const none = nullptr;
      shared[thread] =
          v.is_normed ? norm_squares<kWhole, T>(v.share, x + v.at, none, nullptr) : 0.0f;
    });
    add_warps(block, shared);
    block.each([=, *this](int thread) {
      const HeadVector v(a, is_in_place(), number, thread);
      if (v.is_normed) {
        const float rstd = norm_rstd(shared[thread / kWarpSize * kWarpSize], a.dim, a.eps);
        write_norm<kWhole>(v.share, x + v.at, v.is_query ? a.q_weight : a.k_weight, rstd, y + v.at);
        if (v.share.thread == 0 && a.rstd != nullptr) a.rstd[v.number(a)] = rstd;
      } else if (v.is_there) {
        copy_quads<kWhole>(v.share, x + v.at, y + v.at);
      }
    });
  }
};

}  // namespace qed::cuda
