#pragma once

// The gemm kernel on all threads, and the panel layout that its weights live in. Bits do not depend
// on the number of threads: each output is one chain of additions.

#include "core/ops/cpu_kernels.h"

#include <cstdint>
#include <vector>

namespace qed::ops {

// Cuts rows or panels into pieces for parallel_for.
void gemm(const Gemm& g);

// Row `n` of a panel matrix [ceil(N/16), depth, 16]: element k is at row[k * kLanes].
inline std::int64_t panel_row(std::int64_t n, std::int64_t depth) {
  return n / kLanes * depth * kLanes + n % kLanes;
}

// Row-major [rows, depth] to rows first_row .. of a panel matrix of the same depth, and back.
void to_panels(const float* from, std::int64_t rows, std::int64_t depth, float* panels,
               std::int64_t first_row);
void from_panels(const float* panels, std::int64_t first_row, std::int64_t rows, std::int64_t depth,
                 float* to);

// Panels of the transpose: from W [n, depth] in panels to W^T [depth, n] in panels.
std::vector<float> transpose_panels(const float* panels, std::int64_t n, std::int64_t depth);

}  // namespace qed::ops
