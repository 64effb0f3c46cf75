// The GPU that this CPU plays in tests finds the mistakes of the code that uses it.

#include "tests/cuda/on_gpu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace qed::cuda {
namespace {

constexpr std::int64_t kMemory = 1 << 20;

class HostGpu : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ::setenv("FAKE_GPU_BYTES", std::to_string(kMemory).c_str(), 1);
    played_gpu();
  }
  const KernelTable& table_ = played_gpu().table;
  const DeviceCalls& device_ = table_.device;
  void* const stream_ = played_gpu().stream;
};

TEST_F(HostGpu, HasMemoryThatTheHostCannotTouch) {
  const OnGpu<float> x({1, 2});
  volatile float* const touched = x.get();
  EXPECT_DEATH(std::printf("%g\n", static_cast<double>(*touched)), "");
  EXPECT_DEATH(*touched = 3, "");
  EXPECT_EQ(x.read(), (std::vector<float>{1, 2}));
}

TEST_F(HostGpu, GivesMemoryThatIsNotZero) {
  for (int i = 0; i < 2; ++i) {  // the second time that of the first, which was written to
    const OnGpu<std::uint8_t> x(1000);
    EXPECT_THAT(x.read(), testing::Each(0xff));
    EXPECT_EQ(device_.clear(x.get(), 1000, stream_), 0);
    EXPECT_THAT(x.read(), testing::Each(0));
  }
}

TEST_F(HostGpu, CopiesWithinItsMemory) {
  const OnGpu<float> from({1, 2, 3});
  const OnGpu<float> to({4, 5, 6});
  EXPECT_EQ(device_.copy(to.get() + 1, from.get(), 8, stream_), 0);
  EXPECT_EQ(to.read(), (std::vector<float>{4, 1, 2}));
}

TEST_F(HostGpu, RunsOutOfMemoryAndSaysSo) {
  std::int64_t free = 0, total = 0;
  void *first = nullptr, *second = nullptr;
  ASSERT_EQ(device_.allocate(&first, kMemory - 1000), 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 256, 0u);
  EXPECT_EQ(device_.memory(&free, &total), 0);
  EXPECT_LE(free, 1000);
  EXPECT_EQ(total, kMemory);
  EXPECT_EQ(device_.allocate(&second, 2000), 2);
  EXPECT_STREQ(device_.error_text(2), "out of memory");
  EXPECT_EQ(device_.release(first), 0);
  EXPECT_EQ(device_.allocate(&second, kMemory), 0);
  EXPECT_EQ(device_.release(second), 0);
}

TEST_F(HostGpu, StopsAtWhatBreaksTheContract) {
  const OnGpu<float> w(std::vector<float>(8)), out(8);
  const OnGpu<std::int32_t> id({3, 1});
  const EmbeddingArgs right{2, 2, kFloat32, id.get(), w.get(), out.get()};
  EXPECT_EQ(table_.embedding(right, stream_), 0);
  const auto stops = [&](const char* words, auto change) {
    EmbeddingArgs wrong = right;
    change(wrong);
    EXPECT_DEATH(table_.embedding(wrong, stream_), words);
  };
  const std::vector<float> host(8);
  stops("embedding: out is null", [](EmbeddingArgs& a) { a.out = nullptr; });
  stops("embedding: w is .* no address of the GPU", [&](EmbeddingArgs& a) { a.w = host.data(); });
  stops("embedding: out is .* not aligned to 4 bytes",
        [&](EmbeddingArgs& a) { a.out = reinterpret_cast<char*>(out.get()) + 2; });
  stops("embedding: w has 96 bytes, which are not inside one block",
        [](EmbeddingArgs& a) { a.dim = 6; });
  stops("embedding: .* has dtype 2", [](EmbeddingArgs& a) { a.dtype = 2; });
  EXPECT_DEATH(table_.embedding(right, nullptr), "no stream");
  ASSERT_EQ(device_.clear(w.get(), 32, stream_), 0);

  const OnGpu<std::int32_t> unset(2);
  stops("embedding: id.0. is -1", [&](EmbeddingArgs& a) { a.id = unset.get(); });
  EXPECT_DEATH(device_.release(w.get() + 1), "is no block of this GPU");
  EXPECT_DEATH(device_.upload(w.get(), host.data(), 33, stream_), "33 bytes at .* not inside");
  EXPECT_DEATH(device_.download(w.get(), out.get(), 4, stream_), "no address of the host");
}

TEST_F(HostGpu, StopsAtMemoryThatWasReleased) {
  void* x = nullptr;
  ASSERT_EQ(device_.allocate(&x, 64), 0);
  ASSERT_EQ(device_.release(x), 0);
  EXPECT_DEATH(device_.clear(x, 64, stream_), "not inside one block");
  EXPECT_DEATH(device_.release(x), "is no block of this GPU");
}

}  // namespace
}  // namespace qed::cuda
