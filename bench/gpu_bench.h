#pragma once

// What the benchmarks of a GPU's kernels share: one JSON line for each, for scripts/gpu_check. The
// fastest of some runs counts.

#include "core/cuda/cuda.h"
#include "core/cuda/kernels/body.h"
#include "tests/gpu/device_array.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <vector>

namespace qed::cuda {

inline constexpr int kRuns = 20;

struct Timer {
  Timer() {
    check(cudaEventCreate(&begin_));
    check(cudaEventCreate(&end_));
  }
  ~Timer() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  double seconds(const std::function<void()>& run) {
    float best = INFINITY;
    for (int i = 0; i < kRuns; ++i) {
      check(cudaEventRecord(begin_));
      run();
      check(cudaEventRecord(end_));
      check(cudaEventSynchronize(end_));
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, begin_, end_));
      best = std::min(best, milliseconds);
    }
    return best / 1e3;
  }

 private:
  cudaEvent_t begin_, end_;
};

// `bytes`: what must be read and written at least.
inline void report(const char* name, double bytes, const std::function<void()>& run) {
  const double seconds = Timer().seconds(run);
  std::printf("{\"name\": \"%s\", \"us\": %.1f, \"gb_per_s\": %.0f}\n", name, 1e6 * seconds,
              bytes / seconds / 1e9);
}

// `operations`: multiplications and additions.
inline void report_matrix(const char* name, double operations, const std::function<void()>& run) {
  const double seconds = Timer().seconds(run);
  std::printf("{\"name\": \"%s\", \"us\": %.1f, \"tflop_per_s\": %.1f}\n", name, 1e6 * seconds,
              operations / seconds / 1e12);
}

// Random numbers: the matrix units' clock depends on what they multiply.
struct Matrix {
  DeviceArray<std::uint16_t> numbers;

  Matrix(std::int64_t rows, std::int64_t cols) : numbers(some(rows * cols)) {}

 private:
  static std::vector<std::uint16_t> some(std::int64_t n) {
    std::vector<std::uint16_t> out(static_cast<std::size_t>(n));
    std::uint32_t state = 1;
    for (std::uint16_t& x : out) {
      state = state * 1664525 + 1013904223;
      x = to_bfloat16(static_cast<float>(state >> 8) * 0x1p-23f - 1);
    }
    return out;
  }
};

// In gpu_gemm.cpp and gpu_train.cpp.
void bench_gemm(const KernelTable& table);
void bench_train(const KernelTable& table);

}  // namespace qed::cuda
