#include "core/ops/gemm.h"

#include "core/util/parallel.h"

#include <algorithm>

namespace qed::ops {

namespace {

constexpr std::int64_t kRowStep = 24;   // a multiple of every kernel's row block
constexpr std::int64_t kPanelStep = 2;  // likewise
constexpr std::int64_t kSmall =
    1 << 16;  // multiply-adds below which threads cost more than they give

}  // namespace

void gemm(const Gemm& g) {
  const CpuKernels& kernels = cpu_kernels();
  const std::int64_t panels = num_panels(g.cols);
  if (g.rows == 0 || g.cols == 0) return;
  if (g.rows * g.cols * g.depth < kSmall || num_threads() == 1) return kernels.gemm(g);

  const std::int64_t row_steps = (g.rows + kRowStep - 1) / kRowStep;
  const std::int64_t panel_steps = (panels + kPanelStep - 1) / kPanelStep;
  if (row_steps >= panel_steps) {
    parallel_for(row_steps, 1, [&](std::int64_t begin, std::int64_t end) {
      Gemm part = g;
      const std::int64_t row = begin * kRowStep;
      part.rows = std::min(end * kRowStep, g.rows) - row;
      part.a += row * g.a_row;
      part.c += row * g.c_row;
      kernels.gemm(part);
    });
  } else {
    parallel_for(panel_steps, 1, [&](std::int64_t begin, std::int64_t end) {
      Gemm part = g;
      const std::int64_t panel = begin * kPanelStep;
      part.cols = std::min(end * kPanelStep * kLanes, g.cols) - panel * kLanes;
      part.b += panel * g.b_panel;
      part.c += panel * g.c_panel;
      if (g.bias != nullptr) part.bias += panel * kLanes;
      kernels.gemm(part);
    });
  }
}

void to_panels(const float* from, std::int64_t rows, std::int64_t depth, float* panels,
               std::int64_t first_row) {
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = panels + panel_row(first_row + r, depth);
    for (std::int64_t k = 0; k < depth; ++k) row[k * kLanes] = from[r * depth + k];
  }
}

void from_panels(const float* panels, std::int64_t first_row, std::int64_t rows, std::int64_t depth,
                 float* to) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* row = panels + panel_row(first_row + r, depth);
    for (std::int64_t k = 0; k < depth; ++k) to[r * depth + k] = row[k * kLanes];
  }
}

std::vector<float> transpose_panels(const float* panels, std::int64_t n, std::int64_t depth) {
  std::vector<float> out(num_panels(depth) * n * kLanes);
  for (std::int64_t p = 0; p < num_panels(n); ++p) {
    const std::int64_t lanes = std::min(kLanes, n - p * kLanes);
    for (std::int64_t k = 0; k < depth; ++k) {
      const float* from = panels + (p * depth + k) * kLanes;
      float* to = out.data() + (k / kLanes * n + p * kLanes) * kLanes + k % kLanes;
      for (std::int64_t l = 0; l < lanes; ++l) to[l * kLanes] = from[l];
    }
  }
  return out;
}

}  // namespace qed::ops
