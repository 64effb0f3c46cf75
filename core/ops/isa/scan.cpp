// Scans of a row of logits that drawing a token needs.

#include "core/ops/isa/isa.h"
#include "core/ops/isa/vec.h"

namespace qed::ops::QED_ISA {

namespace {

typedef double DVec __attribute__((vector_size(128)));

inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }

// The sum of f(x) in double: sixteen chains, then a fixed tree.
template <class F>
double sum_of(const float* x, std::int64_t n, F&& f) {
  DVec acc{};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) acc += f(__builtin_convertvector(load(x + i), DVec));
  for (std::int64_t j = i; j < n; ++j) acc[j - i] += f(static_cast<double>(x[j]));
  for (int half = 8; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) acc[l] += acc[l + half];
  }
  return acc[0];
}

}  // namespace

bool row_block_max(const float* x, std::int64_t n, float* block_max) {
  IVec bad{};  // x - x is 0 for finite numbers and NaN for others
  std::int64_t i = 0;
  for (; i + kMaxBlock <= n; i += kMaxBlock) {
    const Vec a = load(x + i), b = load(x + i + 16), c = load(x + i + 32), d = load(x + i + 48);
    bad |= (a - a != 0.0f) | (b - b != 0.0f) | (c - c != 0.0f) | (d - d != 0.0f);
    *block_max++ = max_lanes(larger(larger(a, b), larger(c, d)));
  }
  bool is_finite = true;
  if (i < n) {
    float max = x[i];
    for (; i < n; ++i) {
      is_finite = is_finite && x[i] - x[i] == 0.0f;
      max = x[i] > max ? x[i] : max;
    }
    *block_max = max;
  }
  for (int l = 0; l < kLanes; ++l) is_finite = is_finite && bad[l] == 0;
  return is_finite;
}

double row_sum(const float* x, std::int64_t n) {
  return sum_of(x, n, [](auto v) { return v; });
}

double row_sum_squares(const float* x, std::int64_t n) {
  return sum_of(x, n, [](auto v) { return v * v; });
}

}  // namespace qed::ops::QED_ISA
