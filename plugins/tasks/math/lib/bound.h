#pragma once

// Bounds on errors and sizes.

#include <cmath>
#include <cstdint>

namespace math {

// An upper bound >= 0, with a wider range than double: m * 2^e. Every operation rounds up.
struct Bound {
  double m = 0;  // 0, or in [0.5, 1)
  std::int64_t e = 0;

  static Bound of(double m, std::int64_t e) {
    if (m == 0) return {};
    int shift = 0;
    m = std::frexp(m, &shift);
    return {m, e + shift};
  }
  bool is_zero() const { return m == 0; }
  friend Bound operator+(const Bound& a, const Bound& b) {
    constexpr double kUp = 1 + 0x1p-40;
    if (a.m == 0) return b;
    if (b.m == 0) return a;
    const Bound& large = a.e >= b.e ? a : b;
    const Bound& small = a.e >= b.e ? b : a;
    const std::int64_t gap = large.e - small.e;
    if (gap > 60) return of(large.m * kUp, large.e);
    return of((large.m + std::ldexp(small.m, static_cast<int>(-gap))) * kUp, large.e);
  }
  friend Bound operator*(const Bound& a, const Bound& b) {
    constexpr double kUp = 1 + 0x1p-40;
    return of(a.m * b.m * kUp, a.e + b.e);
  }
  friend bool operator<(const Bound& a, const Bound& b) {
    if (a.m == 0 || b.m == 0) return a.m < b.m;
    return a.e != b.e ? a.e < b.e : a.m < b.m;
  }
};

}  // namespace math
