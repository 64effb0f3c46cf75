#include "core/ops/matrix.h"

#include <algorithm>

namespace qed::ops {

namespace {

// Matrices up to here are turned whole: 16 MB.
constexpr std::int64_t kWholeFloats = 1 << 22;
// Parts of larger ones, which stay in the cache.
constexpr std::int64_t kPartFloats = 1 << 18;

std::int64_t part_rows(std::int64_t n, std::int64_t depth) {
  if (n * depth <= kWholeFloats) return n;
  return std::max<std::int64_t>(kPartFloats / depth / kLanes, 1) * kLanes;
}

}  // namespace

TransposedMatrix::TransposedMatrix(const at::Tensor& w, std::int64_t n)
    : w_(w), n_(n), depth_(w.size(1)), step_(part_rows(n, depth_)) {
  if (step_ == n_) whole_ = turn(0, n_);
}

const float* TransposedMatrix::turn(std::int64_t first_row, std::int64_t rows) const {
  const std::int64_t offset = first_row * depth_;  // whole panels lie before it
  if (w_.scalar_type() == at::kBFloat16) {
    return transpose_panels(bfloat16_data(w_) + offset, rows, depth_);
  }
  return transpose_panels(w_.const_data_ptr<float>() + offset, rows, depth_);
}

void TransposedMatrix::times(const float* a, std::int64_t rows, std::int64_t a_row,
                             float* c) const {
  for (std::int64_t row = 0; row < n_; row += step_) {
    const std::int64_t depth = std::min(step_, n_ - row);
    gemm({.rows = rows,
          .cols = depth_,
          .depth = depth,
          .a = a + row,
          .a_row = a_row,
          .a_col = 1,
          .b = whole_ != nullptr ? whole_ : turn(row, depth),
          .b_panel = depth * kLanes,
          .b_depth = kLanes,
          .c = c,
          .c_row = depth_,
          .c_panel = kLanes,
          .accumulate = row > 0});
  }
}

std::int64_t TransposedMatrix::num_floats(std::int64_t n, std::int64_t depth) {
  return std::min(part_rows(n, depth), n) * num_panels(depth) * kLanes;
}

}  // namespace qed::ops
