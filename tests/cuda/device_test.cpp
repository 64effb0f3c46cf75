// DeviceCalls of libqed_cuda.so over a runtime that does work as late as it may.

#include "core/cuda/kernels/device.h"

#include "core/cuda/kernels/cublaslt.h"
#include "tests/cuda/fake_cudart.h"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

namespace qed::cuda {

// Products are not part of this test.
std::int32_t cublaslt_version() { return 0; }
const char* cublaslt_error_text(std::int32_t) { return "an error of cuBLASLt"; }

namespace {

class Device : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_EQ(calls_.open(1, &stream_), 0); }
  void SetUp() override { ASSERT_EQ(calls_.wait(stream_), 0); }

  static inline const DeviceCalls calls_ = device_calls();
  static inline void* stream_ = nullptr;
};

std::vector<std::uint8_t> noise(std::size_t n, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<std::uint8_t> out(n);
  for (std::uint8_t& x : out) x = static_cast<std::uint8_t>(engine());
  return out;
}

TEST_F(Device, HasReadTheHostsMemoryWhenAnUploadReturns) {
  for (const std::size_t n : {1u, 1000u, 4u << 20, (21u << 20) + 7}) {
    const auto sent = noise(n, 1);
    std::vector<std::uint8_t> host = sent, to(n);
    ASSERT_EQ(calls_.upload(to.data(), host.data(), std::ssize(host), stream_), 0);
    std::ranges::fill(host, std::uint8_t{0});
    ASSERT_EQ(calls_.wait(stream_), 0);
    EXPECT_EQ(to, sent) << n;
  }
  EXPECT_EQ(fake::pageable_uploads, 0);
}

// 5,000 of 3,001 bytes: several times around the pinned memory.
TEST_F(Device, DoesNotOverwriteWhatHasNotLeftThePinnedMemory) {
  const std::size_t size = 3'001, count = 5'000;
  const auto sent = noise(size * count, 2);
  std::vector<std::uint8_t> to(sent.size());
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(calls_.upload(to.data() + i * size, sent.data() + i * size,
                            static_cast<std::int64_t>(size), stream_),
              0);
  }
  ASSERT_EQ(calls_.wait(stream_), 0);
  EXPECT_EQ(to, sent);
}

TEST_F(Device, DoesNotWaitForTheQueueToTakeSmallUploads) {
  std::vector<std::uint8_t> host(100), to(100);
  const int before = fake::copies_done;
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(calls_.upload(to.data(), host.data(), 100, stream_), 0);
  EXPECT_EQ(fake::copies_done, before);
}

TEST_F(Device, KeepsTheOrderOfUploadsOnAnotherStream) {
  void* other = nullptr;
  ASSERT_EQ(calls_.open(1, &other), 0);
  const auto sent = noise(12 << 20, 3);
  std::vector<std::uint8_t> first(1000), second(sent.size());
  ASSERT_EQ(calls_.upload(first.data(), sent.data(), 1000, stream_), 0);
  ASSERT_EQ(calls_.upload(second.data(), sent.data(), std::ssize(sent), other), 0);
  ASSERT_EQ(calls_.wait(other), 0);
  EXPECT_EQ(second, sent);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), sent.begin()));
}

TEST_F(Device, HasADownloadWhenItReturns) {
  const auto sent = noise(5000, 4);
  std::vector<std::uint8_t> to(5000), copy(5000), got(5000);
  ASSERT_EQ(calls_.upload(to.data(), sent.data(), 5000, stream_), 0);
  ASSERT_EQ(calls_.copy(copy.data(), to.data(), 5000, stream_), 0);
  ASSERT_EQ(calls_.clear(to.data(), 4999, stream_), 0);
  ASSERT_EQ(calls_.download(got.data(), copy.data(), 5000, stream_), 0);
  EXPECT_EQ(got, sent);
  EXPECT_EQ(to[4998], 0);
  EXPECT_EQ(to[4999], sent[4999]);
}

TEST_F(Device, ThatIsOutOfMemorySaysSoOnce) {
  std::int64_t free = 0, total = 0;
  ASSERT_EQ(calls_.memory(&free, &total), 0);
  EXPECT_EQ(free, total);
  void* memory = &free;
  EXPECT_EQ(calls_.allocate(&memory, total + 1), 2);
  EXPECT_EQ(memory, nullptr);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(calls_.allocate(&memory, 0), 0);
  EXPECT_EQ(memory, nullptr);
  EXPECT_EQ(calls_.release(memory), 0);
}

TEST_F(Device, IsTheOneThatWasOpenedForEveryThread) {
  int found = -1;
  std::thread([&] {
    EXPECT_EQ(calls_.wait(stream_), 0);
    found = fake::device;
  }).join();
  EXPECT_EQ(found, 1);
}

TEST_F(Device, PutsErrorsIntoWords) {
  EXPECT_STREQ(calls_.error_text(2), "an error of the fake");
  EXPECT_STREQ(calls_.error_text(kCublasError + 1), "an error of cuBLASLt");
}

}  // namespace
}  // namespace qed::cuda
