#pragma once

// The body of column_sum's first pass; PiecesBody of row_pieces.h is the second.

#include "core/cuda/kernels/row_pieces.h"

namespace qed::cuda {

// A piece of rows, for a tile of columns: block = piece * tiles + tile.
template <class T>
struct ColumnPieceBody {
  using Shared = float;
  static constexpr std::int64_t kShared = kPieceShared;
  ColumnSumArgs a;

  std::int64_t num_blocks() const { return num_row_pieces(a.rows) * num_tiles(a.cols); }

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    if (are_whole(a.cols, a.x, a.parts)) {
      run<true>(block, number, shared);
    } else {
      run<false>(block, number, shared);
    }
  }

 private:
  template <bool kWhole, class Block>
  QED_DEVICE void run(const Block& block, std::int64_t number, float* shared) const {
    const std::int64_t piece = number / num_tiles(a.cols), tile = number % num_tiles(a.cols);
    const auto add_rows = [=, *this](Quad<float>& sum, std::int64_t begin, std::int64_t end,
                                     std::int64_t column) {
      const T* const x = static_cast<const T*>(a.x);
      add_in_order(sum, begin, end, [&](std::int64_t row) {
        return load_wide<kWhole>(x + row * a.cols, column, a.cols);
      });
    };
    sum_piece<kWhole>(block, shared, a.rows, piece, tile, a.cols, a.parts + piece * a.cols,
                      add_rows);
  }
};

}  // namespace qed::cuda
