#pragma once

// The gemm kernel on all threads, and the panel layout that its weights live in. Bits do not depend
// on the number of threads: each output is one chain of additions.

#include "core/ops/cpu_kernels.h"

#include <cstdint>

namespace qed::ops {

// The operands of PackedGemm (cpu_kernels.h), with A as it lies in memory.
struct Gemm {
  std::int64_t rows, cols, depth;
  const float* a;  // A[i][k] at a[i * a_row + k * a_col]
  std::int64_t a_row, a_col;
  const float* b = nullptr;
  const std::uint16_t* b_bfloat16 = nullptr;  // instead of b
  std::int64_t b_panel = 0, b_depth = 0;
  float* c;
  std::int64_t c_row, c_panel;
  const float* bias = nullptr;
  bool accumulate = false;
};

// Packs A, and B where its panels are not (b_depth other than 16), a few hundred rows and depths at
// a time, and cuts the work into pieces for parallel_for. `cols` may end inside a panel of such a
// B.
void gemm(const Gemm& g, const CpuKernels& kernels = cpu_kernels());

// Row `n` of a panel matrix [ceil(N/16), depth, 16]: element k is at row[k * kLanes].
inline std::int64_t panel_row(std::int64_t n, std::int64_t depth) {
  return n / kLanes * depth * kLanes + n % kLanes;
}

// Row-major [rows, depth] to rows first_row .. of a panel matrix of the same depth, and back.
// Panels of bfloat16 are rounded to nearest; the way back is exact.
void to_panels(const float* from, std::int64_t rows, std::int64_t depth, float* panels,
               std::int64_t first_row);
void to_panels(const float* from, std::int64_t rows, std::int64_t depth, std::uint16_t* panels,
               std::int64_t first_row);
void from_panels(const float* panels, std::int64_t first_row, std::int64_t rows, std::int64_t depth,
                 float* to);
void from_panels(const std::uint16_t* panels, std::int64_t first_row, std::int64_t rows,
                 std::int64_t depth, float* to);

// Panels of the transpose: from W [n, depth] in panels to W^T [depth, n] in panels. The result
// belongs to the calling thread and lives until its next call.
const float* transpose_panels(const float* panels, std::int64_t n, std::int64_t depth);
const float* transpose_panels(const std::uint16_t* panels, std::int64_t n, std::int64_t depth);

}  // namespace qed::ops
