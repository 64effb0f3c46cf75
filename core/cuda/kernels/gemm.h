#pragma once

// Bodies of products. GemmBody takes a tile of C per block: each number is one chain of fused
// multiply-adds in float32, over ascending depth, that starts from C, the bias or 0. So a row's
// bits depend on that row and on B alone, and are those of ops::gemm.

#include "core/cuda/gemm_args.h"
#include "core/cuda/kernels/body.h"

#include <cmath>

namespace qed::cuda {

inline constexpr int kGemmTile = 64;  // rows and columns of C that a block takes

inline QED_HOST_DEVICE std::int64_t num_gemm_tiles(std::int64_t n) {
  return (n + kGemmTile - 1) / kGemmTile;
}

inline std::int64_t num_blocks(const GemmArgs& a) {
  return num_gemm_tiles(a.rows) * num_gemm_tiles(a.cols);
}

// AB, Out: what A and B hold, and what C holds.
template <class AB, class Out>
struct GemmBody {
  using Shared = float;
  static constexpr int kDepth = 32;             // that is in shared memory at a time
  static constexpr int kPitch = kGemmTile + 4;  // so that neighbours in depth are in other banks
  static constexpr int kSide = 16;              // a thread has the rows 4 r + i, columns 4 c + j
  static constexpr std::int64_t kTileFloats = kDepth * kPitch, kShared = 2 * kTileFloats;
  static_assert(kSide * kSide == kThreads && kSide * 4 == kGemmTile);
  GemmArgs a;

  struct Sums {
    float x[4][4];
  };

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    const std::int64_t across = num_gemm_tiles(a.cols);
    const std::int64_t row = number / across * kGemmTile, col = number % across * kGemmTile;
    float *const x = shared, *const y = shared + kTileFloats;
    typename Block::template Own<Sums> own;
    block.each_alone([&](int thread) {
      Sums& sums = own(thread);
      each_output(thread, row, col, [&](int i, int j, const Out& c, std::int64_t column) {
        sums.x[i][j] = a.accumulate != 0 ? to_float(c) : a.bias != nullptr ? a.bias[column] : 0.0f;
      });
    });
    for (std::int64_t k = 0; k < a.depth; k += kDepth) {
      block.each([&](int thread) {
        load(thread, a.a, a.a_step, a.a_turned == 0, row, a.rows, k, x);
        load(thread, a.b, a.b_step, a.b_turned != 0, col, a.cols, k, y);
      });
      const int depth = static_cast<int>(a.depth - k < kDepth ? a.depth - k : kDepth);
      block.each([&](int thread) {
        const int r = thread / kSide * 4, c = thread % kSide * 4;
        if (row + r < a.rows && col + c < a.cols) multiply(depth, x + r, y + c, own(thread));
      });
    }
    block.each_alone([&](int thread) {
      const Sums& sums = own(thread);
      each_output(thread, row, col,
                  [&](int i, int j, Out& c, std::int64_t) { put(c, sums.x[i][j]); });
    });
  }

 private:
  // Calls f(i, j, output, column) for the outputs of a thread that are inside of C.
  template <class F>
  QED_DEVICE void each_output(int thread, std::int64_t row, std::int64_t col, const F& f) const {
    QED_UNROLL
    for (int i = 0; i < 4; ++i) {
      const std::int64_t r = row + thread / kSide * 4 + i;
      QED_UNROLL
      for (int j = 0; j < 4; ++j) {
        const std::int64_t c = col + thread % kSide * 4 + j;
        if (r < a.rows && c < a.cols) f(i, j, static_cast<Out*>(a.c)[r * a.c_step + c], c);
      }
    }
  }

  // tile[k][lane]: `kDepth` of the depth for the rows of A, or columns of B, from `first` on.
  // Neighbours in memory go to neighbouring threads.
  QED_DEVICE void load(int thread, const void* matrix, std::int64_t step, bool is_depth_inner,
                       std::int64_t first, std::int64_t lanes, std::int64_t depth,
                       float* tile) const {
    const AB* const from = static_cast<const AB*>(matrix);
    for (int n = thread; n < kGemmTile * kDepth; n += kThreads) {
      const int lane = is_depth_inner ? n / kDepth : n % kGemmTile;
      const int k = is_depth_inner ? n % kDepth : n / kGemmTile;
      const std::int64_t outer = is_depth_inner ? first + lane : depth + k;
      const std::int64_t inner = is_depth_inner ? depth + k : first + lane;
      const bool is_inside = first + lane < lanes && depth + k < a.depth;
      tile[k * kPitch + lane] = is_inside ? to_float(from[outer * step + inner]) : 0.0f;
    }
  }

  QED_DEVICE static void multiply(int depth, const float* x, const float* y, Sums& sums) {
    Sums sum = sums;
    for (int k = 0; k < depth; ++k) {
      const Four left = *reinterpret_cast<const Four*>(x + k * kPitch);
      const Four right = *reinterpret_cast<const Four*>(y + k * kPitch);
      QED_UNROLL
      for (int i = 0; i < 4; ++i) {
        QED_UNROLL
        for (int j = 0; j < 4; ++j) sum.x[i][j] = std::fma(left.x[i], right.x[j], sum.x[i][j]);
      }
    }
    sums = sum;
  }
};

// i = row * cols + column: adds the bias to C, after a product that could not.
template <class Out>
struct BiasBody {
  GemmArgs a;

  std::int64_t size() const { return a.rows * a.cols; }
  QED_DEVICE void operator()(std::int64_t i) const {
    Out& c = static_cast<Out*>(a.c)[i / a.cols * a.c_step + i % a.cols];
    put(c, to_float(c) + a.bias[i % a.cols]);
  }
};

}  // namespace qed::cuda
