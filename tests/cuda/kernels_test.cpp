// The bodies of the GPU's kernels, run on the CPU, against the CPU's own kernels.

#include "core/cuda/kernels/adamw.h"
#include "core/cuda/kernels/elements.h"
#include "core/cuda/kernels/rms_norm.h"
#include "core/ops/cpu_kernels.h"
#include "tests/cuda/numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace qed::cuda {
namespace {

using ops::cpu_kernels;

struct Normed {
  std::vector<float> sum, y, rstd;
};

template <class T>
Normed norm_on_gpu(const std::vector<T>& x, const std::vector<T>* delta,
                   const std::vector<float>& weight, std::int64_t rows) {
  std::vector<T> sum(x.size()), y(x.size());
  std::vector<float> rstd(static_cast<std::size_t>(rows));
  const RmsNormArgs args{.rows = rows,
                         .dim = static_cast<std::int64_t>(weight.size()),
                         .dtype = 0,
                         .eps = 1e-6f,
                         .x = x.data(),
                         .delta = delta == nullptr ? nullptr : delta->data(),
                         .weight = weight.data(),
                         .sum = sum.data(),
                         .y = y.data(),
                         .rstd = rstd.data()};
  run_blocks(RmsNormBody<T>{args}, rows);
  Normed out;
  out.rstd = rstd;
  for (const T& v : sum) out.sum.push_back(to_float(v));
  for (const T& v : y) out.y.push_back(to_float(v));
  return out;
}

Normed norm_on_cpu(const std::vector<float>& x, const std::vector<float>& weight,
                   std::int64_t rows) {
  Normed out{x, std::vector<float>(x.size()), std::vector<float>(static_cast<std::size_t>(rows))};
  cpu_kernels().rms_norm(x.data(), weight.data(), out.y.data(), out.rstd.data(), rows,
                         static_cast<std::int64_t>(weight.size()), 1e-6f);
  return out;
}

TEST(RmsNorm, IsTheCpusForEveryWidth) {
  for (const std::int64_t dim : {1, 24, 255, 256, 257, 896}) {
    const auto x = random_floats(static_cast<std::size_t>(3 * dim), 1, 2);
    const auto weight = random_floats(static_cast<std::size_t>(dim), 2);
    const Normed gpu = norm_on_gpu<float>(x, nullptr, weight, 3);
    const Normed cpu = norm_on_cpu(x, weight, 3);
    expect_near(gpu.y, cpu.y, kFloatTolerance);
    expect_near(gpu.rstd, cpu.rstd, kFloatTolerance);
  }
}

TEST(RmsNorm, OfASumWritesTheSumToo) {
  const auto x = random_floats(3 * 300, 3), delta = random_floats(3 * 300, 4);
  const auto weight = random_floats(300, 5);
  std::vector<float> sum = x;
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += delta[i];
  const Normed gpu = norm_on_gpu<float>(x, &delta, weight, 3);
  EXPECT_EQ(gpu.sum, sum);
  expect_near(gpu.y, norm_on_cpu(sum, weight, 3).y, kFloatTolerance);
}

TEST(RmsNorm, InBfloat16NormalisesTheSumThatItStores) {
  const auto x = rounded(random_floats(3 * 300, 6)), delta = rounded(random_floats(3 * 300, 7));
  const auto weight = random_floats(300, 8);
  const Normed gpu = norm_on_gpu<Bfloat16>(x, &delta, weight, 3);
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(gpu.sum[i], from_bfloat16(to_bfloat16(to_float(x[i]) + to_float(delta[i]))));
  }
  expect_near(gpu.y, norm_on_cpu(gpu.sum, weight, 3).y, kBfloatTolerance);
}

TEST(RmsNorm, OfARowDependsOnThatRowAlone) {
  const auto x = random_floats(5 * 200, 9), weight = random_floats(200, 10);
  const Normed all = norm_on_gpu<float>(x, nullptr, weight, 5);
  const std::vector<float> last(x.end() - 200, x.end());
  const Normed alone = norm_on_gpu<float>(last, nullptr, weight, 1);
  EXPECT_EQ(std::vector<float>(all.y.end() - 200, all.y.end()), alone.y);
}

TEST(Swiglu, IsTheCpus) {
  const auto in = random_floats(4 * 2 * 50, 11, 4);
  std::vector<float> cpu(4 * 50), gpu(4 * 50);
  cpu_kernels().swiglu(in.data(), cpu.data(), 4, 50);
  run_elements(SwigluBody<float>{{4, 50, kFloat32, in.data(), gpu.data()}});
  expect_near(gpu, cpu, kFloatTolerance);

  const auto small = rounded(in);
  std::vector<Bfloat16> out(4 * 50);
  cpu_kernels().swiglu(widened(small).data(), cpu.data(), 4, 50);
  run_elements(SwigluBody<Bfloat16>{{4, 50, kBfloat16, small.data(), out.data()}});
  expect_near(widened(out), cpu, kBfloatTolerance);
}

TEST(Swiglu, OfLargeGatesIsFinite) {
  const std::vector<float> in = {-1000, 1000, 2, 2};
  std::vector<float> out(2);
  run_elements(SwigluBody<float>{{1, 2, kFloat32, in.data(), out.data()}});
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[1], 2000);
}

TEST(Embedding, TakesTheRowsOfItsIds) {
  const auto w = random_floats(7 * 5, 12);
  const std::vector<std::int32_t> id = {6, 0, 6};
  std::vector<float> out(3 * 5);
  run_elements(EmbeddingBody<float>{{3, 5, kFloat32, id.data(), w.data(), out.data()}});
  for (std::size_t t = 0; t < 3; ++t) {
    for (std::size_t d = 0; d < 5; ++d) {
      EXPECT_EQ(out[t * 5 + d], w[static_cast<std::size_t>(id[t]) * 5 + d]);
    }
  }
}

double sum_of_squares(const std::vector<float>& x) {
  std::vector<double> parts(static_cast<std::size_t>(num_pieces(std::ssize(x))));
  double out = 0;
  const SumSquaresArgs args{std::ssize(x), x.data(), parts.data(), &out};
  run_blocks(SquaresBody{args}, std::ssize(parts));
  run_blocks(PartsBody{args}, 1);
  return out;
}

TEST(SumSquares, IsTheCpusInDouble) {
  for (const std::size_t n : {1, 255, 16384, 16385, 50000}) {
    const auto x = random_floats(n, 13);
    const double cpu = cpu_kernels().row_sum_squares(x.data(), static_cast<std::int64_t>(n));
    EXPECT_NEAR(sum_of_squares(x), cpu, 1e-12 * cpu);
  }
}

struct Weights {
  std::vector<float> w = random_floats(1000, 14), grad = random_floats(1000, 15),
                     m = random_floats(1000, 16, 0.1f), v;
  std::vector<std::uint16_t> bfloat16 = std::vector<std::uint16_t>(1000);

  Weights() {
    for (const float x : random_floats(1000, 17, 0.1f)) v.push_back(x * x);
  }
  void step_on_gpu(double clip_norm) {
    const double squares = sum_of_squares(grad);
    run_elements(AdamwBody{{.n = 1000,
                            .w = w.data(),
                            .grad = grad.data(),
                            .m = m.data(),
                            .v = v.data(),
                            .bfloat16 = bfloat16.data(),
                            .sum_squares = &squares,
                            .clip_norm = clip_norm,
                            .lr = 0.01f,
                            .beta1 = 0.9f,
                            .beta2 = 0.99f,
                            .eps = 1e-8f,
                            .weight_decay = 0.1f,
                            .bias1 = 0.271f,
                            .bias2 = 0.0297f}});
  }
};

TEST(Adamw, IsTheCpusWithAndWithoutClip) {
  for (const double clip_norm : {0.0, 1.0, 1e6}) {
    Weights cpu, gpu;
    const double norm = std::sqrt(sum_of_squares(cpu.grad));
    const double scale = clip_norm > 0 ? std::min(1.0, clip_norm / (norm + 1e-6)) : 1;
    cpu_kernels().adamw(cpu.w.data(), cpu.grad.data(), cpu.m.data(), cpu.v.data(), 1000, 0.01f,
                        0.9f, 0.99f, 1e-8f, 0.1f, 0.271f, 0.0297f, static_cast<float>(scale));
    gpu.step_on_gpu(clip_norm);
    expect_near(gpu.w, cpu.w, kFloatTolerance);
    expect_near(gpu.m, cpu.m, kFloatTolerance);
    expect_near(gpu.v, cpu.v, kFloatTolerance);
    EXPECT_EQ(gpu.grad, std::vector<float>(1000));
    for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(gpu.bfloat16[i], to_bfloat16(gpu.w[i]));
  }
}

TEST(Adamw, OfAGradientThatIsNotFiniteClearsItAndChangesNothingElse) {
  const Weights before;
  Weights gpu;
  gpu.grad[500] = std::numeric_limits<float>::infinity();
  gpu.step_on_gpu(1);
  EXPECT_EQ(gpu.w, before.w);
  EXPECT_EQ(gpu.m, before.m);
  EXPECT_EQ(gpu.v, before.v);
  EXPECT_EQ(gpu.bfloat16, before.bfloat16);
  EXPECT_EQ(gpu.grad, std::vector<float>(1000));
}

}  // namespace
}  // namespace qed::cuda
