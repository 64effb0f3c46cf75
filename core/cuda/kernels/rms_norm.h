#pragma once

// Bodies of rms_norm and its backward: a block per row, and for the weight's gradient a block per
// piece of rows and tile of columns.

#include "core/cuda/kernels/norm.h"
#include "core/cuda/kernels/row_pieces.h"
#include "core/cuda/train_args.h"

namespace qed::cuda {

template <class T>
struct RmsNormBody {
  using Shared = float;
  static constexpr std::int64_t kShared = kThreads;
  RmsNormArgs a;

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t row, float* shared) const {
    if (are_whole(a.dim, a.x, a.delta, a.weight, a.sum, a.y)) {
      run<true>(block, row, shared);
    } else {
      run<false>(block, row, shared);
    }
  }

 private:
  template <bool kWhole, class Block>
  QED_DEVICE void run(const Block& block, std::int64_t row, float* shared) const {
    const std::int64_t begin = row * a.dim;
    const bool is_sum = a.delta != nullptr;
    const T* const x = static_cast<const T*>(a.x) + begin;
    const T* const delta = is_sum ? static_cast<const T*>(a.delta) + begin : nullptr;
    T *const sum = is_sum ? static_cast<T*>(a.sum) + begin : nullptr, *const y =
                                                                          static_cast<T*>(a.y) +
                                                                          begin;
    block.each([=, *this](int thread) {
      shared[thread] = norm_squares<kWhole>(Share{thread, kThreads, a.dim}, x, delta, sum);
    });
    add_up(block, shared);
    block.each([=, *this](int thread) {
      const float rstd = norm_rstd(shared[0], a.dim, a.eps);
      write_norm<kWhole, T>({thread, kThreads, a.dim}, is_sum ? sum : x, a.weight, rstd, y);
      if (thread == 0 && a.rstd != nullptr) a.rstd[row] = rstd;
    });
  }
};

// dx of a row.
template <class T>
struct RmsNormBackwardBody {
  using Shared = float;
  static constexpr std::int64_t kShared = kThreads;
  RmsNormBackwardArgs a;

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t row, float* shared) const {
    if (are_whole(a.dim, a.dy, a.x, a.weight, a.before, a.dx)) {
      run<true>(block, row, shared);
    } else {
      run<false>(block, row, shared);
    }
  }

 private:
  template <bool kWhole, class Block>
  QED_DEVICE void run(const Block& block, std::int64_t row, float* shared) const {
    const std::int64_t begin = row * a.dim;
    const T* const dy = static_cast<const T*>(a.dy) + begin;
    const T* const x = static_cast<const T*>(a.x) + begin;
    const T* const before = a.before == nullptr ? nullptr : static_cast<const T*>(a.before) + begin;
    T* const dx = static_cast<T*>(a.dx) + begin;
    block.each([=, *this](int thread) {
      shared[thread] = norm_products<kWhole>(Share{thread, kThreads, a.dim}, dy, x, a.weight);
    });
    add_up(block, shared);
    block.each([=, *this](int thread) {
      write_norm_backward<kWhole>(Share{thread, kThreads, a.dim}, dy, x, a.weight, a.rstd[row],
                                  shared[0], before, dx);
    });
  }
};

// The weight's gradient of a piece of rows, for a tile of columns: block = piece * tiles + tile.
template <class T>
struct RmsNormPieceBody {
  using Shared = float;
  static constexpr std::int64_t kShared = kPieceShared;
  RmsNormBackwardArgs a;

  std::int64_t num_blocks() const { return num_row_pieces(a.rows) * num_tiles(a.dim); }

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    if (are_whole(a.dim, a.dy, a.x, a.parts)) {
      run<true>(block, number, shared);
    } else {
      run<false>(block, number, shared);
    }
  }

 private:
  template <bool kWhole, class Block>
  QED_DEVICE void run(const Block& block, std::int64_t number, float* shared) const {
    const std::int64_t piece = number / num_tiles(a.dim), tile = number % num_tiles(a.dim);
    const auto add_rows = [=, *this](Quad<float>& sum, std::int64_t begin, std::int64_t end,
                                     std::int64_t column) {
      const T *const dy = static_cast<const T*>(a.dy), *const x = static_cast<const T*>(a.x);
      add_in_order(sum, begin, end, [&](std::int64_t row) {
        return norm_dweight<kWhole>(dy + row * a.dim, x + row * a.dim, a.rstd[row], column, a.dim);
      });
    };
    sum_piece<kWhole>(block, shared, a.rows, piece, tile, a.dim, a.parts + piece * a.dim, add_rows);
  }
};

}  // namespace qed::cuda
