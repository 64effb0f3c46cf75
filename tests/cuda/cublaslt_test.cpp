// How libqed_cuda.so asks cuBLASLt for products: with a library that computes on the CPU in its
// place, so that no GPU is needed. A process of its own, since a library is opened for good.

#include "core/cuda/cuda.h"
#include "core/cuda/kernels/body.h"
#include "tests/cuda/host_block.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

namespace qed::cuda {
namespace {

constexpr char kLibrary[] = QED_BINARY_DIR "/lib/libqed_cuda.so";
constexpr char kFake[] = QED_BINARY_DIR "/tests/cuda/fake/libcublasLt.so.13";

class Cublaslt : public testing::Test {
 protected:
  // The loader gives the library that is open to who asks for its name.
  void SetUp() override {
    fake_ = ::dlopen(kFake, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(fake_, nullptr) << ::dlerror();
    table_ = open_library(kLibrary);
    ASSERT_EQ(table_.gemm_library(), 130100);
  }
  void TearDown() override { ::unsetenv("FAKE_CUBLASLT_REFUSES"); }

  template <class T>
  T& of_fake(const char* name) const {
    return *static_cast<T*>(::dlsym(fake_, name));
  }

  void* fake_ = nullptr;
  KernelTable table_{};
};

GemmArgs args_of(std::int64_t rows, std::int64_t cols, std::int64_t depth, bool a_turned,
                 bool b_turned) {
  GemmArgs g{};
  g.rows = rows, g.cols = cols, g.depth = depth;
  g.a_turned = a_turned, g.b_turned = b_turned;
  g.a_step = (a_turned ? rows : depth) + 1, g.b_step = (b_turned ? depth : cols) + 2;
  g.c_step = cols + 3;
  return g;
}

float number(const std::vector<Bfloat16>& x, std::int64_t at) {
  return to_float(x[static_cast<std::size_t>(at)]);
}

TEST_F(Cublaslt, IsAskedForTheProductOfRowMajorMatrices) {
  for (const int kind : {0, 1, 2, 3, 4, 5, 6, 7}) {
    const bool a_turned = kind % 2 != 0, b_turned = kind / 2 % 2 != 0;
    GemmArgs g = args_of(3, 5, 7, a_turned, b_turned);
    g.accumulate = kind / 4;
    g.ab_dtype = kBfloat16, g.c_dtype = kFloat32;
    const auto a = rounded(random_floats(100, 1)), b = rounded(random_floats(100, 2));
    const auto before = random_floats(100, 3);
    auto c = before;
    g.a = a.data(), g.b = b.data(), g.c = c.data();
    ASSERT_EQ(table_.gemm(g, nullptr), 0);
    for (std::int64_t i = 0; i < std::ssize(c); ++i) {
      const std::int64_t row = i / g.c_step, col = i % g.c_step;
      float expected = before[static_cast<std::size_t>(i)];
      if (row < g.rows && col < g.cols) {
        float sum = 0;
        for (std::int64_t k = 0; k < g.depth; ++k) {
          sum += number(a, a_turned ? k * g.a_step + row : row * g.a_step + k) *
                 number(b, b_turned ? col * g.b_step + k : k * g.b_step + col);
        }
        expected = sum + (g.accumulate != 0 ? expected : 0);
      }
      ASSERT_NEAR(c[static_cast<std::size_t>(i)], expected, 1e-5) << kind << ' ' << i;
    }
  }
}

TEST_F(Cublaslt, IsAskedOncePerShapeForAnAlgorithm) {
  alignas(256) float a[64] = {}, b[64] = {}, c[64] = {};
  GemmArgs g = args_of(4, 4, 4, false, false);
  g.a = a, g.b = b, g.c = c;
  int& choices = of_fake<int>("fake_cublaslt_choices");
  const int before = choices;
  ASSERT_EQ(table_.gemm(g, nullptr), 0);
  ASSERT_EQ(table_.gemm(g, nullptr), 0);
  EXPECT_EQ(choices, before + 1);
  EXPECT_EQ(of_fake<std::uint32_t>("fake_cublaslt_alignment"), 256u);
  g.a = a + 1, g.b = b + 1, g.c = c + 1;  // other alignments may want another algorithm
  ASSERT_EQ(table_.gemm(g, nullptr), 0);
  EXPECT_EQ(choices, before + 2);
  EXPECT_EQ(of_fake<std::uint32_t>("fake_cublaslt_alignment"), 4u);
}

TEST_F(Cublaslt, WithoutAnAlgorithmLeavesTheProductToThePlainKernel) {
  if (!ask_driver().gpus.empty()) GTEST_SKIP() << "the plain kernel would run on this machine";
  ::setenv("FAKE_CUBLASLT_REFUSES", "1", 1);
  float a[16] = {}, b[16] = {}, c[16] = {};
  GemmArgs g = args_of(2, 2, 1, false, false);
  g.a = a, g.b = b, g.c = c;
  const std::int32_t error = table_.gemm(g, nullptr);  // it cannot be launched here
  EXPECT_NE(error, 0);
  EXPECT_LT(error, 10'000);
}

TEST_F(Cublaslt, IsNotAskedForAnExactProduct) {
  if (!ask_driver().gpus.empty()) GTEST_SKIP() << "the plain kernel would run on this machine";
  float a[16] = {}, b[16] = {}, c[16] = {};
  GemmArgs g = args_of(2, 2, 2, false, false);
  g.exact = 1, g.a = a, g.b = b, g.c = c;
  const int before = of_fake<int>("fake_cublaslt_choices");
  EXPECT_NE(table_.gemm(g, nullptr), 0);
  EXPECT_EQ(of_fake<int>("fake_cublaslt_choices"), before);
}

TEST_F(Cublaslt, TellsItsErrorsInItsOwnWords) {
  EXPECT_STREQ(table_.device.error_text(10'015), "not supported by the fake");
}

}  // namespace
}  // namespace qed::cuda
