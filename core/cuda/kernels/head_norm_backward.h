#pragma once

// Bodies of head_norm's backward: a warp takes a vector, as in the forward, and for the weights'
// gradients a block takes a piece of rows and a tile of columns.

#include "core/cuda/kernels/head_norm.h"
#include "core/cuda/kernels/row_pieces.h"

namespace qed::cuda {

// dx of a vector.
template <class T>
struct HeadNormBackwardBody {
  using Shared = float;
  static constexpr std::int64_t kShared = kThreads;
  HeadNormBackwardArgs a;

  QED_HOST_DEVICE bool is_in_place() const { return a.dy == a.dx; }
  std::int64_t num_blocks() const {
    return num_head_blocks(a.rows * num_head_vectors(a, is_in_place()));
  }

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    if (a.width % 4 == 0 && are_whole(a.dim, a.dy, a.x, a.q_weight, a.k_weight, a.dx)) {
      run<true>(block, number, shared);
    } else {
      run<false>(block, number, shared);
    }
  }

 private:
  template <bool kWhole, class Block>
  QED_DEVICE void run(const Block& block, std::int64_t number, float* shared) const {
    const T *const dy = static_cast<const T*>(a.dy), *const x = static_cast<const T*>(a.x);
    T* const dx = static_cast<T*>(a.dx);
    block.each([=, *this](int thread) {
      const HeadVector v(a, is_in_place(), number, thread);
      shared[thread] = v.is_normed ? norm_products<kWhole>(v.share, dy + v.at, x + v.at,
                                                           v.is_query ? a.q_weight : a.k_weight)
                                   : 0.0f;
    });
    add_warps(block, shared);
    block.each([=, *this](int thread) {
      const HeadVector v(a, is_in_place(), number, thread);
      if (v.is_normed) {
        const T* const none = nullptr;
        write_norm_backward<kWhole>(v.share, dy + v.at, x + v.at,
                                    v.is_query ? a.q_weight : a.k_weight, a.rstd[v.number(a)],
                                    shared[thread / kWarpSize * kWarpSize], none, dx + v.at);
      } else if (v.is_there) {
        copy_quads<kWhole>(v.share, dy + v.at, dx + v.at);
      }
    });
  }
};

// The weights' gradients of a piece of rows, for a tile of columns: block = (weight * pieces +
// piece) * tiles + tile. The queries' blocks, which have most to do, come first.
template <class T>
struct HeadNormPieceBody {
  using Shared = float;
  static constexpr std::int64_t kShared = kPieceShared;
  HeadNormBackwardArgs a;

  std::int64_t num_blocks() const { return 2 * num_row_pieces(a.rows) * num_tiles(a.dim); }

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    if (a.width % 4 == 0 && are_whole(a.dim, a.dy, a.x, a.parts)) {
      run<true>(block, number, shared);
    } else {
      run<false>(block, number, shared);
    }
  }

 private:
  template <bool kWhole, class Block>
  QED_DEVICE void run(const Block& block, std::int64_t number, float* shared) const {
    const std::int64_t tiles = num_tiles(a.dim), pieces = num_row_pieces(a.rows);
    const std::int64_t tile = number % tiles, piece = number / tiles % pieces;
    const std::int64_t weight = number / tiles / pieces;
    const auto add_rows = [=, *this](Quad<float>& sum, std::int64_t begin, std::int64_t end,
                                     std::int64_t column) {
      const T *const dy = static_cast<const T*>(a.dy), *const x = static_cast<const T*>(a.x);
      const std::int64_t all = a.heads + a.kv_heads;
      const std::int64_t first = weight == 0 ? 0 : a.heads, last = weight == 0 ? a.heads : all;
      for (std::int64_t row = begin; row < end; ++row) {
        add_in_order(sum, first, last, [&](std::int64_t head) {
          const std::int64_t at = row * a.width + head * a.dim;
          return norm_dweight<kWhole>(dy + at, x + at, a.rstd[row * all + head], column, a.dim);
        });
      }
    };
    sum_piece<kWhole>(block, shared, a.rows, piece, tile, a.dim,
                      a.parts + (2 * piece + weight) * a.dim, add_rows);
  }
};

}  // namespace qed::cuda
