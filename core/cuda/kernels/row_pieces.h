#pragma once

// Sums over the rows of a matrix for the gradient of a weight. First a block for each piece of
// kRowPiece rows and each tile of columns, then the pieces in their order, added to what is there.

#include "core/cuda/gemm_args.h"
#include "core/cuda/kernels/body.h"
#include "core/cuda/kernels/quads.h"

namespace qed::cuda {

// A block: a warp, of four columns to a thread, for each of 8 runs of the piece's rows.
inline constexpr int kTileColumns = 4 * kWarpSize;
inline constexpr int kRuns = kThreads / kWarpSize;
inline constexpr int kRunRows = static_cast<int>(kRowPiece) / kRuns;
inline constexpr std::int64_t kPieceShared = kRuns * kTileColumns;  // floats

QED_HOST_DEVICE inline std::int64_t num_tiles(std::int64_t columns) {
  return (columns + kTileColumns - 1) / kTileColumns;
}

// part[c] = the sum of column c over the rows of a piece, for the columns c < dim of a tile: each
// run in the order of its rows, then the runs in theirs. add_rows(sum, begin, end, c) adds columns
// c .. c + 3 of rows [begin, end) to `sum`.
template <bool kWhole, class Block, class AddRows>
QED_DEVICE void sum_piece(const Block& block, float* shared, std::int64_t rows, std::int64_t piece,
                          std::int64_t tile, std::int64_t dim, float* part,
                          const AddRows& add_rows) {
  // Of thread t, number j at [run][j][t % kWarpSize]: neighbours write to neighbouring banks.
  block.each([=](int thread) {
    const std::int64_t begin = piece * kRowPiece + thread / kWarpSize * kRunRows;
    const std::int64_t end = begin + kRunRows < rows ? begin + kRunRows : rows;
    const std::int64_t column = tile * kTileColumns + thread % kWarpSize * 4;
    Quad<float> sum{};
    if (column < dim) add_rows(sum, begin, end, column);
    for (int j = 0; j < 4; ++j) {
      shared[thread / kWarpSize * kTileColumns + j * kWarpSize + thread % kWarpSize] = sum.x[j];
    }
  });
  block.each([=](int thread) {
    const std::int64_t column = tile * kTileColumns + thread * 4;
    if (thread >= kWarpSize || column >= dim) return;
    Quad<float> sum{};
    for (int run = 0; run < kRuns; ++run) {
      add(sum,
          make_quad([&](int j) { return shared[run * kTileColumns + j * kWarpSize + thread]; }));
    }
    store_quad<kWhole>(part, column, dim, sum);
  });
}

// i = column: first[i], and then second[i - dim], gets the sum of parts [pieces, 1 or 2, dim].
struct PiecesBody {
  std::int64_t pieces, dim;
  const float* parts;
  float *first, *second;  // second may be null: parts [pieces, dim]

  QED_HOST_DEVICE std::int64_t size() const { return (second == nullptr ? 1 : 2) * dim; }
  QED_DEVICE void operator()(std::int64_t i) const {
    float* const to = i < dim ? first + i : second + (i - dim);
    float sum = *to;
    add_in_order(sum, 0, pieces, [&](std::int64_t p) { return parts[p * size() + i]; });
    *to = sum;
  }
};

}  // namespace qed::cuda
