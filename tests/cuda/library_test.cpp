// The real libqed_cuda.so, on a machine that need not have a GPU.

#include "core/cuda/cuda.h"

#include <gtest/gtest.h>

#include <cstring>

namespace qed::cuda {
namespace {

constexpr char kLibrary[] = QED_BINARY_DIR "/lib/libqed_cuda.so";

TEST(CudaLibrary, OpensWithoutAGpuAndFillsItsTable) {
  const KernelTable table = open_library(kLibrary);
  EXPECT_EQ(table.runtime_version / 1000, 13);
  EXPECT_GT(std::strlen(table.architectures), 0u);
  EXPECT_NE(table.rms_norm, nullptr);
  EXPECT_NE(table.swiglu, nullptr);
  EXPECT_NE(table.embedding, nullptr);
  EXPECT_NE(table.rope, nullptr);
  EXPECT_NE(table.attention, nullptr);
  EXPECT_NE(table.draw, nullptr);
  EXPECT_NE(table.sum_squares, nullptr);
  EXPECT_NE(table.adamw, nullptr);
}

TEST(CudaLibrary, ReturnsAnErrorWhereNoKernelCanRun) {
  if (!ask_driver().gpus.empty()) GTEST_SKIP() << "this machine has a GPU";
  const KernelTable table = open_library(kLibrary);
  float x = 1, weight = 1, y = 0;
  const RmsNormArgs args{.rows = 1,
                         .dim = 1,
                         .dtype = kFloat32,
                         .eps = 0,
                         .x = &x,
                         .delta = nullptr,
                         .weight = &weight,
                         .sum = nullptr,
                         .y = &y,
                         .rstd = nullptr};
  EXPECT_NE(table.rms_norm(args, nullptr), 0);
  EXPECT_EQ(y, 0);
}

TEST(CudaLibrary, OfThisMachineIsUsedOrPolitelyRefused) {
  const Availability found = find_cuda(ask_driver(), kLibrary);
  if (!found.refusal) return;
  EXPECT_EQ(found.refusal->exit_code(), kExitUsage);
  EXPECT_NE(found.refusal->hint(), "");
}

}  // namespace
}  // namespace qed::cuda
