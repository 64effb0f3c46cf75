#pragma once

// Arrays of either dtype for tests of the GPU's kernels, and how near results must be.

#include "tests/cuda/host_block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

namespace qed::cuda {

// Of the largest value.
constexpr double kFloatTolerance = 2e-6;   // two orders of adding up
constexpr double kSumTolerance = 4e-6;     // the same, over hundreds of rows
constexpr double kBfloatTolerance = 4e-3;  // half a unit in the last place of a bfloat16

template <class T>
constexpr std::int32_t kDtype = std::is_same_v<T, float> ? kFloat32 : kBfloat16;
template <class T>
constexpr double kTolerance = std::is_same_v<T, float> ? kFloatTolerance : kBfloatTolerance;

// Normal random numbers, rounded to T.
template <class T>
std::vector<T> random_numbers(std::int64_t n, unsigned seed, float scale = 1) {
  std::vector<T> out(static_cast<std::size_t>(n));
  const std::vector<float> numbers = random_floats(out.size(), seed, scale);
  for (std::size_t i = 0; i < out.size(); ++i) put(out[i], numbers[i]);
  return out;
}

inline const std::vector<float>& widened(const std::vector<float>& x) { return x; }

// The same numbers at addresses that are no multiple of more than a number's size: from [1] on.
template <class T>
std::vector<T> shifted(std::vector<T> x) {
  x.insert(x.begin(), T{});
  return x;
}
template <class T>
std::vector<T> shifted_back(std::vector<T> x) {
  x.erase(x.begin());
  return x;
}

inline void expect_near(const std::vector<float>& a, const std::vector<float>& b,
                        double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  double largest = 0;
  for (const float x : b) largest = std::max(largest, std::abs(static_cast<double>(x)));
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance * largest) << i;
}

}  // namespace qed::cuda
