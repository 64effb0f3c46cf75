#pragma once

// Vectors of 16 floats and what is computed with them, for the files of this folder alone. Each of
// these is compiled once for each instruction set, so everything here has internal linkage: a copy
// compiled with AVX-512 could otherwise be the one that the linker keeps for everyone.

#include "core/ops/cpu_kernels.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace qed::ops {
namespace {

typedef float Vec __attribute__((vector_size(64), aligned(4), may_alias));
typedef std::int32_t IVec __attribute__((vector_size(64)));

inline Vec load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
inline void store(float* p, Vec v) { *reinterpret_cast<Vec*>(p) = v; }
inline Vec splat(float x) { return Vec{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }

// The first n < 16 lanes; the others are 0.
#ifdef __AVX512F__
inline __mmask16 first(std::int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
inline Vec load_part(const float* p, std::int64_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
inline void store_part(float* p, Vec v, std::int64_t n) { _mm512_mask_storeu_ps(p, first(n), v); }
#else
inline Vec load_part(const float* p, std::int64_t n) {
  Vec v{};
  for (std::int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
inline void store_part(float* p, Vec v, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) p[i] = v[i];
}
#endif

// v in the first n lanes, `other` in the rest.
inline Vec choose(std::int64_t n, Vec v, Vec other) {
  const IVec lane{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return lane < static_cast<std::int32_t>(n) ? v : other;
}

// Lane i of the result is lane i + n of v, around the end.
template <int n>
inline Vec upper(Vec v) {
  return __builtin_shufflevector(v, v, n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8,
                                 n + 9, n + 10, n + 11, n + 12, n + 13, n + 14, n + 15);
}

// Lanes in a fixed tree: (0+8, 1+9, ...), then by 4, 2, 1.
inline float sum_lanes(Vec v) {
  v = v + upper<8>(v);
  v = v + upper<4>(v);
  v = v + upper<2>(v);
  v = v + upper<1>(v);
  return v[0];
}
inline float max_lanes(Vec v) {
  const auto larger = [](Vec a, Vec b) { return a > b ? a : b; };
  v = larger(v, upper<8>(v));
  v = larger(v, upper<4>(v));
  v = larger(v, upper<2>(v));
  return larger(v, upper<1>(v))[0];
}

// exp(x) for x <= 0, and for any x above -87; Cephes' polynomial, error below 2 units in the last
// place.
inline Vec exp(Vec x) {
  x = x < splat(-87.0f) ? splat(-87.0f) : x;
  x = x > splat(88.0f) ? splat(88.0f) : x;
  const Vec shifted = x * 1.44269504088896341f + 12582912.0f;  // 1.5 * 2^23: rounds to an integer
  const Vec n = shifted - 12582912.0f;
  Vec r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  Vec p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  IVec bits;
  __builtin_memcpy(&bits, &shifted, 64);
  bits = (bits + 127) << 23;  // the low bits of `shifted` are n
  Vec scale;
  __builtin_memcpy(&scale, &bits, 64);
  return p * scale;
}

// Calls f(i, n) for i = 0, 16, ... with n = 16, or what is left.
template <class F>
inline void blocks(std::int64_t dim, F&& f) {
  std::int64_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) f(i, load, store);
  const std::int64_t left = dim - i;
  if (left > 0) {
    f(
        i, [left](const float* p) { return load_part(p, left); },
        [left](float* p, Vec v) { store_part(p, v, left); });
  }
}

inline float dot(const float* a, const float* b, std::int64_t n) {
  Vec acc{};
  blocks(n, [&](std::int64_t i, auto get, auto) { acc = get(a + i) * get(b + i) + acc; });
  return sum_lanes(acc);
}

inline RowSoftmax softmax_stats(const float* x, std::int64_t n, float scale) {
  Vec high = splat(-__builtin_inff());
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Vec v = load(x + i) * scale;
    high = v > high ? v : high;
  }
  if (i < n) {
    const Vec v = load_part(x + i, n - i) * scale;
    high = choose(n - i, v > high ? v : high, high);
  }
  const float max = max_lanes(high);
  Vec sum{};
  for (i = 0; i + kLanes <= n; i += kLanes) sum = sum + exp(load(x + i) * scale - max);
  if (i < n) sum = choose(n - i, sum + exp(load_part(x + i, n - i) * scale - max), sum);
  return {max, sum_lanes(sum)};
}

}  // namespace
}  // namespace qed::ops
