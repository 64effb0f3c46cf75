// The memory of a GPU and its queue, through the table.

#include "tests/gpu/gpu_test.h"

#include <algorithm>
#include <thread>

namespace qed::cuda {
namespace {

class Memory {
 public:
  Memory(const DeviceCalls& device, std::int64_t bytes) : device_(device) {
    check(device_.allocate(&memory_, bytes));
  }
  ~Memory() { device_.release(memory_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  char* get() const { return static_cast<char*>(memory_); }

 private:
  const DeviceCalls& device_;
  void* memory_ = nullptr;
};

// The GPU is opened once in a process.
class DeviceOnGpu : public OnGpu {
 protected:
  void SetUp() override {
    OnGpu::SetUp();
    if (IsSkipped()) return;
    if (stream_ == nullptr) check(table_.device.open(0, &stream_));
  }
  inline static void* stream_ = nullptr;
};

std::vector<std::uint8_t> pattern(std::size_t n, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<std::uint8_t> out(n);
  for (std::uint8_t& x : out) x = static_cast<std::uint8_t>(engine());
  return out;
}

TEST_F(DeviceOnGpu, HasReadTheHostsMemoryWhenAnUploadReturns) {
  const DeviceCalls& device = table_.device;
  for (const std::size_t n : {1u, 1000u, 4u << 20, (21u << 20) + 7}) {
    const Memory memory(device, static_cast<std::int64_t>(n));
    const auto sent = pattern(n, 1);
    auto host = sent;
    check(device.upload(memory.get(), host.data(), std::ssize(host), stream_));
    std::ranges::fill(host, std::uint8_t{0});
    check(device.download(host.data(), memory.get(), std::ssize(host), stream_));
    EXPECT_EQ(host, sent) << n;
  }
}

TEST_F(DeviceOnGpu, KeepsTheOrderOfManySmallUploads) {
  const DeviceCalls& device = table_.device;
  const std::int64_t size = 3'000, count = 5'000;  // several times around the pinned memory
  const Memory memory(device, size * count);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::vector<std::uint8_t> host(static_cast<std::size_t>(size),
                                         static_cast<std::uint8_t>(i % 251));
    check(device.upload(memory.get() + i * size, host.data(), size, stream_));
  }
  std::vector<std::uint8_t> got(static_cast<std::size_t>(size * count));
  check(device.download(got.data(), memory.get(), std::ssize(got), stream_));
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], i / 3'000 % 251) << i;
}

TEST_F(DeviceOnGpu, CopiesAndClears) {
  const DeviceCalls& device = table_.device;
  const Memory from(device, 1000), to(device, 1000);
  const auto sent = pattern(1000, 2);
  auto got = sent;
  check(device.upload(from.get(), sent.data(), 1000, stream_));
  check(device.copy(to.get(), from.get(), 1000, stream_));
  check(device.clear(from.get(), 999, stream_));
  check(device.download(got.data(), to.get(), 1000, stream_));
  EXPECT_EQ(got, sent);
  check(device.download(got.data(), from.get(), 1000, stream_));
  EXPECT_EQ(std::ranges::count(got, 0), 999 + (sent[999] == 0));
}

TEST_F(DeviceOnGpu, ThatIsOutOfMemorySaysSoAndGoesOn) {
  const DeviceCalls& device = table_.device;
  std::int64_t free = 0, total = 0;
  check(device.memory(&free, &total));
  EXPECT_GT(free, 0);
  EXPECT_LE(free, total);
  void* memory = &free;
  EXPECT_EQ(device.allocate(&memory, 2 * total), 2);
  EXPECT_EQ(memory, nullptr);
  const Memory small(device, 1024);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(small.get()) % 256, 0u);
  check(device.clear(small.get(), 1024, stream_));
  const ColumnSumArgs args{1,
                           1,
                           kFloat32,
                           0,
                           small.get(),
                           reinterpret_cast<float*>(small.get()),
                           reinterpret_cast<float*>(small.get())};
  EXPECT_EQ(table_.column_sum(args, stream_), 0);
  EXPECT_EQ(device.wait(stream_), 0);
}

TEST_F(DeviceOnGpu, IsTheSameOneForEveryThread) {
  const Memory memory(table_.device, 4);
  std::int32_t error = -1;
  std::thread([&] { error = table_.device.clear(memory.get(), 4, stream_); }).join();
  EXPECT_EQ(error, 0);
}

}  // namespace
}  // namespace qed::cuda
