// What stands for cuBLASLt: products by loops that a compiler can turn into vectors. Each number is
// the sum of one to three chains of additions over the ascending depth, as many as the number of
// rows says: the order of additions is that of the shape. What is in C already is added last.

#include "core/cuda/kernels/body.h"
#include "core/cuda/kernels/cublaslt.h"
#include "core/cuda/kernels/device.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace qed::cuda {

namespace {

constexpr std::int64_t kRows = 4, kCols = 8;  // of a tile, whose sums stay in registers

// Panels of a matrix [depth, n]: W columns side by side, depth after depth; 0 beyond the last.
template <class T, std::int64_t W>
void pack(const void* from, std::int64_t step, bool is_turned, std::int64_t depth, std::int64_t n,
          std::vector<float>& to) {
  to.assign(static_cast<std::size_t>((n + W - 1) / W * W * depth), 0.0f);
  const T* const x = static_cast<const T*>(from);
  const std::int64_t k_step = is_turned ? 1 : step, j_step = is_turned ? step : 1;
  for (std::int64_t first = 0; first < n; first += W) {
    float* panel = to.data() + first * depth;
    const std::int64_t end = std::min(first + W, n);
    for (std::int64_t k = 0; k < depth; ++k, panel += W) {
      for (std::int64_t j = first; j < end; ++j) {
        panel[j - first] = to_float(x[k * k_step + j * j_step]);
      }
    }
  }
}

void multiply_tile(const float* a, const float* b, std::int64_t depth, float (&to)[kRows][kCols]) {
  typedef float Strip __attribute__((vector_size(kCols * sizeof(float)), aligned(4), may_alias));
  Strip sum[kRows] = {};
  for (std::int64_t k = 0; k < depth; ++k, a += kRows, b += kCols) {
    const Strip column = *reinterpret_cast<const Strip*>(b);
#pragma GCC unroll 8
    for (std::int64_t r = 0; r < kRows; ++r) sum[r] += a[r] * column;
  }
  std::memcpy(to, sum, sizeof sum);
}

template <class C>
void put_tile(const GemmArgs& g, std::int64_t row, std::int64_t col,
              const float (&sum)[kRows][kCols]) {
  for (std::int64_t r = 0; r < kRows && row + r < g.rows; ++r) {
    for (std::int64_t c = 0; c < kCols && col + c < g.cols; ++c) {
      C& to = static_cast<C*>(g.c)[(row + r) * g.c_step + col + c];
      put(to, g.accumulate != 0 ? sum[r][c] + to_float(to) : sum[r][c]);
    }
  }
}

template <class AB, class C>
std::int32_t multiply(const GemmArgs& g) {
  static std::vector<float> a, b;  // one call at a time
  const std::int64_t chains = 1 + g.rows % 3, chain = (g.depth + chains - 1) / chains;
  pack<AB, kRows>(g.a, g.a_step, g.a_turned == 0, g.depth, g.rows, a);
  pack<AB, kCols>(g.b, g.b_step, g.b_turned != 0, g.depth, g.cols, b);
  for (std::int64_t col = 0; col < g.cols; col += kCols) {
    for (std::int64_t row = 0; row < g.rows; row += kRows) {
      float sum[kRows][kCols] = {}, part[kRows][kCols];
      for (std::int64_t k = 0; k < g.depth; k += chain) {
        multiply_tile(a.data() + row * g.depth + k * kRows, b.data() + col * g.depth + k * kCols,
                      std::min(chain, g.depth - k), part);
        for (std::int64_t i = 0; i < kRows * kCols; ++i)
          sum[i / kCols][i % kCols] += part[i / kCols][i % kCols];
      }
      put_tile<C>(g, row, col, sum);
    }
  }
  return 0;
}

}  // namespace

std::optional<std::int32_t> cublaslt_gemm(const GemmArgs& args, void*) {
  if (args.ab_dtype == kFloat32) return multiply<float, float>(args);
  return args.c_dtype == kFloat32 ? multiply<Bfloat16, float>(args)
                                  : multiply<Bfloat16, Bfloat16>(args);
}

std::int32_t cublaslt_version() { return 130000; }

std::int32_t enter_device() { return 0; }

}  // namespace qed::cuda
