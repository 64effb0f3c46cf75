// The memory of a GPU, over a table that allocates on the host.

#include "core/ops/device.h"
#include "core/util/error.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace qed::ops {
namespace {

constexpr std::int64_t kTotal = 1 << 20;
std::map<void*, std::int64_t> blocks;

std::int64_t in_use() {
  std::int64_t sum = 0;
  for (const auto& [memory, bytes] : blocks) sum += bytes;
  return sum;
}

cuda::KernelTable host_table() {
  cuda::KernelTable table{};
  table.device.open = [](std::int32_t gpu, void**) -> std::int32_t { return gpu == 0 ? 0 : 101; };
  table.device.allocate = [](void** memory, std::int64_t bytes) -> std::int32_t {
    if (in_use() + bytes > kTotal) return 2;
    *memory = std::malloc(static_cast<std::size_t>(bytes));
    blocks[*memory] = bytes;
    return 0;
  };
  table.device.release = [](void* memory) -> std::int32_t {
    blocks.erase(memory);
    std::free(memory);
    return 0;
  };
  table.device.memory = [](std::int64_t* free, std::int64_t* total) -> std::int32_t {
    *free = kTotal - in_use();
    *total = kTotal;
    return 0;
  };
  table.device.error_text = [](std::int32_t) { return "invalid device ordinal"; };
  return table;
}

// A device lives for ever, so what its pool holds is taken from it after each test.
class DeviceMemory : public testing::Test {
 protected:
  void TearDown() override {
    for (const auto& [memory, bytes] : blocks) std::free(memory);
    blocks.clear();
  }
};

TEST_F(DeviceMemory, OfThePoolIsTakenAgain) {
  Device gpu(host_table(), 0, "a GPU", false);
  const void* first = gpu.empty({1000}, at::kFloat).const_data_ptr();
  EXPECT_EQ(gpu.empty({990}, at::kFloat).const_data_ptr(), first);
  EXPECT_EQ(gpu.free_bytes(), kTotal);
}

TEST_F(DeviceMemory, OfThePoolGoesBackBeforeThereIsNone) {
  Device gpu(host_table(), 0, "a GPU", false);
  for (const std::int64_t n : {300'000, 400'000, 500'000}) gpu.empty({n}, at::kByte);
  EXPECT_NO_THROW(gpu.empty({1'000'000}, at::kByte));
}

TEST_F(DeviceMemory, ThatIsMissingIsSaidWithNumbers) {
  Device gpu(host_table(), 0, "a GPU", false);
  const at::Tensor held = gpu.empty({1 << 19}, at::kByte);
  try {
    gpu.empty({1 << 20}, at::kByte);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "the GPU is out of memory: 1.00 MiB are wanted, 512 KiB of 1.00 MiB are free");
    EXPECT_EQ(error.hint(),
              "lower train.micro_tokens or rollout.max_batch, or set train.checkpointing");
  }
}

TEST_F(DeviceMemory, OfAGpuThatCannotBeOpenedSaysWhatItReports) {
  try {
    Device gpu(host_table(), 7, "a GPU", false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the GPU reports: invalid device ordinal");
    EXPECT_EQ(error.hint(), "see whether `qed devices` finds it, or write run.device = \"cpu\"");
  }
}

}  // namespace
}  // namespace qed::ops
