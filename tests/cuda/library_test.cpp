// The real libqed_cuda.so, on a machine that need not have a GPU.

#include "core/cuda/cuda.h"
#include "tests/cuda/full_table.h"

#include <gtest/gtest.h>

#include <cstring>

namespace qed::cuda {
namespace {

constexpr char kLibrary[] = QED_BINARY_DIR "/lib/libqed_cuda.so";

TEST(CudaLibrary, OpensWithoutAGpuAndFillsItsTable) {
  const KernelTable table = open_library(kLibrary);
  EXPECT_EQ(table.runtime_version / 1000, 13);
  EXPECT_GT(std::strlen(table.architectures), 0u);
  expect_full(table);
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

TEST(CudaLibrary, TellsInWordsWhatADeviceCannotDo) {
  if (!ask_driver().gpus.empty()) GTEST_SKIP() << "this machine has a GPU";
  const DeviceCalls device = open_library(kLibrary).device;
  void *stream = nullptr, *memory = nullptr;
  const std::int32_t error = device.open(0, &stream);
  EXPECT_NE(error, 0);
  EXPECT_NE(std::strlen(device.error_text(error)), 0u);
  EXPECT_NE(device.allocate(&memory, 1), 0);
  EXPECT_EQ(memory, nullptr);
}

TEST(CudaLibrary, OfThisMachineIsUsedOrPolitelyRefused) {
  const Availability found = find_cuda(ask_driver(), kLibrary);
  if (!found.refusal) return;
  EXPECT_EQ(found.refusal->exit_code(), kExitUsage);
  EXPECT_NE(found.refusal->hint(), "");
}

}  // namespace
}  // namespace qed::cuda
