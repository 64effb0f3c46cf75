#pragma once

// What tests on a GPU share. They are skipped where there is none.

#include "core/cuda/cuda.h"
#include "tests/cuda/numbers.h"
#include "tests/gpu/device_array.h"

#include <gtest/gtest.h>

#include <vector>

namespace qed::cuda {

class OnGpu : public testing::Test {
 protected:
  void SetUp() override {
    const Availability found = find_cuda(ask_driver(), library_of_program());
    if (found.refusal) GTEST_SKIP() << found.refusal->what();
    table_ = *found.table;
  }
  KernelTable table_{};
};

// Values differ by the compiler's fused multiply-adds and by exp, as much as `tolerance` of the
// largest.
inline void expect_near(const std::vector<Bfloat16>& a, const std::vector<Bfloat16>& b,
                        double tolerance) {
  expect_near(widened(a), widened(b), tolerance);
}
template <class T>
constexpr double kGpuTolerance = 2 * kTolerance<T>;

// `out` after on_gpu() must be near what it is after on_cpu(), and the same to the bit a second
// time. Both find in it what was there before.
template <class T, class OnCpu, class OnGpu>
void expect_same(const char* what, Managed<T>& out, double tolerance, const OnCpu& on_cpu,
                 const OnGpu& on_gpu) {
  SCOPED_TRACE(what);
  const std::vector<T> before = out.read();
  on_cpu();
  const std::vector<T> expected = out.read();
  out.write(before);
  on_gpu();
  const std::vector<T> got = out.read();
  expect_near(got, expected, tolerance);
  out.write(before);
  on_gpu();
  EXPECT_EQ(widened(out.read()), widened(got));
}

}  // namespace qed::cuda
