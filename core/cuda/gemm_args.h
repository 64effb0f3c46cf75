#pragma once

// Products of matrices on the GPU. Row-major; a dtype is kFloat32 or kBfloat16, sums are float32.

#include "core/cuda/kernel_args.h"

#include <cstdint>

namespace qed::cuda {

// C = A B + bias, or C + A B: [rows, cols] from [rows, depth] and [depth, cols]. The dtypes of A
// and B are the same; C's is that or float32. The same call gives the same bits. `exact`: each
// output is one chain of fused multiply-adds over ascending depth, that starts from C, bias or 0,
// so that a row's bits depend on that row and on B alone. Else it is as fast as it can be: the
// order of additions is that of the shape, and a bfloat16 C is rounded before the bias is added
// too.
struct GemmArgs {
  std::int64_t rows, cols, depth;
  std::int32_t ab_dtype, c_dtype;
  std::int32_t a_turned, b_turned;  // 1: stored as [depth, rows], [cols, depth]
  std::int32_t accumulate;          // 1: adds to C; then there is no bias
  std::int32_t exact;               // 1: see above
  const void *a, *b;
  void* c;
  std::int64_t a_step, b_step, c_step;  // elements from one stored row to the next
  const float* bias;                    // [cols], or null
};

// out[j] += sum over i of x[i][j]: in pieces of kRowPiece rows, which are added in order.
inline constexpr std::int64_t kRowPiece = 128;
inline constexpr std::int64_t num_row_pieces(std::int64_t rows) {
  return (rows + kRowPiece - 1) / kRowPiece;
}

struct ColumnSumArgs {
  std::int64_t rows, cols;
  std::int32_t dtype, reserved;
  const void* x;  // [rows, cols]
  float* parts;   // [num_row_pieces(rows), cols]: scratch
  float* out;     // [cols]
};

}  // namespace qed::cuda
