// The bodies of products and sums of columns, run on the CPU, against a plain loop and ops::gemm.

#include "core/cuda/kernels/gemm.h"
#include "core/cuda/kernels/column_sum.h"
#include "core/ops/gemm.h"
#include "tests/cuda/numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string_view>

namespace qed::cuda {
namespace {

template <class T>
std::vector<std::uint32_t> bits(const std::vector<T>& x) {
  std::vector<std::uint32_t> out;
  for (const T& v : x) out.push_back(std::bit_cast<std::uint32_t>(to_float(v)));
  return out;
}

// A product whose stored rows lie `gap` numbers apart.
template <class AB, class Out>
struct Product {
  GemmArgs args{};
  std::vector<AB> a, b;
  std::vector<Out> c;
  std::vector<float> bias;

  Product(std::int64_t rows, std::int64_t cols, std::int64_t depth, bool a_turned, bool b_turned,
          std::int64_t gap = 0)
      : bias(random_floats(static_cast<std::size_t>(cols), 4)) {
    args.rows = rows, args.cols = cols, args.depth = depth;
    args.ab_dtype = kDtype<AB>, args.c_dtype = kDtype<Out>;
    args.a_turned = a_turned, args.b_turned = b_turned;
    args.a_step = (a_turned ? rows : depth) + gap, args.b_step = (b_turned ? depth : cols) + gap;
    args.c_step = cols + gap;
    a = random_numbers<AB>((a_turned ? depth : rows) * args.a_step, 1);
    b = random_numbers<AB>((b_turned ? cols : depth) * args.b_step, 2);
    c = random_numbers<Out>(rows * args.c_step, 3);
  }

  float left(std::int64_t i, std::int64_t k) const {
    return to_float(a[static_cast<std::size_t>(args.a_turned != 0 ? k * args.a_step + i
                                                                  : i * args.a_step + k)]);
  }
  float right(std::int64_t k, std::int64_t j) const {
    return to_float(b[static_cast<std::size_t>(args.b_turned != 0 ? j * args.b_step + k
                                                                  : k * args.b_step + j)]);
  }

  std::vector<Out> on_gpu() const {
    std::vector<Out> out = c;
    GemmArgs g = args;
    g.a = a.data(), g.b = b.data(), g.c = out.data();
    run_blocks(GemmBody<AB, Out>{g}, num_blocks(g));
    return out;
  }
  std::vector<Out> by_loop() const {
    std::vector<Out> out = c;
    for (std::int64_t i = 0; i < args.rows; ++i) {
      for (std::int64_t j = 0; j < args.cols; ++j) {
        Out& to = out[static_cast<std::size_t>(i * args.c_step + j)];
        float sum = args.accumulate != 0   ? to_float(to)
                    : args.bias != nullptr ? args.bias[j]
                                           : 0.0f;
        for (std::int64_t k = 0; k < args.depth; ++k) sum = std::fma(left(i, k), right(k, j), sum);
        put(to, sum);
      }
    }
    return out;
  }
};

template <class AB, class Out>
void check_all_kinds() {
  for (const int kind : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) {
    Product<AB, Out> product(67, 70, 37, kind % 2 != 0, kind / 2 % 2 != 0, 3);
    product.args.accumulate = kind / 4 == 1;
    product.args.bias = kind / 4 == 2 ? product.bias.data() : nullptr;
    EXPECT_EQ(bits(product.on_gpu()), bits(product.by_loop())) << kind;
  }
}

TEST(Gemm, IsOneChainOfMultiplyAddsForEachOutput) {
  check_all_kinds<float, float>();
  check_all_kinds<Bfloat16, Bfloat16>();
  check_all_kinds<Bfloat16, float>();
}

TEST(Gemm, OfEveryShapeFillsAllOfC) {
  for (const auto& [rows, cols, depth] : {std::array{1, 1, 1}, {1, 200, 5}, {130, 2, 64}}) {
    const Product<float, float> product(rows, cols, depth, false, true);
    EXPECT_EQ(bits(product.on_gpu()), bits(product.by_loop())) << rows << ' ' << cols;
  }
}

TEST(Gemm, WithoutDepthIsTheBias) {
  Product<float, float> product(2, 70, 0, false, false);
  product.args.bias = product.bias.data();
  auto twice = product.bias;
  twice.insert(twice.end(), product.bias.begin(), product.bias.end());
  EXPECT_EQ(product.on_gpu(), twice);
}

TEST(Gemm, OfARowDependsOnThatRowAlone) {
  const Product<float, float> all(66, 65, 40, false, true);
  Product<float, float> one(1, 65, 40, false, true);
  one.a.assign(all.a.end() - 40, all.a.end());
  one.b = all.b;
  const auto out = all.on_gpu();
  EXPECT_EQ(std::vector<float>(out.end() - 65, out.end()), one.on_gpu());
}

TEST(Gemm, HasTheBitsOfTheCpus) {
  const std::string_view isa = ops::cpu_kernels().isa;
  if (isa == "generic") GTEST_SKIP() << "without fused multiply-adds the CPU rounds twice";
  const Product<float, float> product(67, 80, 300, false, false);
  std::vector<float> cpu(67 * 80);
  ops::gemm({.rows = 67,
             .cols = 80,
             .depth = 300,
             .a = product.a.data(),
             .a_row = 300,
             .a_col = 1,
             .b = product.b.data(),
             .b_panel = ops::kLanes,
             .b_depth = 80,
             .c = cpu.data(),
             .c_row = 80,
             .c_panel = ops::kLanes});
  EXPECT_EQ(bits(product.on_gpu()), bits(cpu));
}

TEST(Bias, IsAddedToEachRow) {
  Product<Bfloat16, Bfloat16> product(3, 5, 1, false, false, 2);
  GemmArgs g = product.args;
  const auto before = widened(product.c);
  g.c = product.c.data(), g.bias = product.bias.data();
  run_elements(BiasBody<Bfloat16>{g});
  for (std::size_t i = 0; i < before.size(); ++i) {
    const float bias = i % 7 < 5 ? product.bias[i % 7] : 0.0f;
    EXPECT_EQ(to_float(product.c[i]), from_bfloat16(to_bfloat16(before[i] + bias))) << i;
  }
}

template <class T>
void check_column_sum(std::int64_t rows, std::int64_t cols) {
  const auto x = random_numbers<T>(rows * cols, 5);
  auto out = random_floats(static_cast<std::size_t>(cols), 6);
  const auto before = out;
  std::vector<float> parts(static_cast<std::size_t>(num_row_pieces(rows) * cols));
  const ColumnSumArgs args{.rows = rows,
                           .cols = cols,
                           .dtype = kDtype<T>,
                           .reserved = 0,
                           .x = x.data(),
                           .parts = parts.data(),
                           .out = out.data()};
  const ColumnPieceBody<T> piece{args};
  run_blocks(piece, piece.num_blocks());
  run_elements(PiecesBody{num_row_pieces(rows), cols, args.parts, args.out, nullptr});
  for (std::size_t j = 0; j < out.size(); ++j) {
    double sum = before[j], size = std::abs(before[j]);
    for (std::size_t i = j; i < x.size(); i += out.size()) {
      sum += to_float(x[i]);
      size += std::abs(to_float(x[i]));
    }
    // Half a unit of each partial sum, which are no larger than all of them together.
    EXPECT_NEAR(out[j], sum, static_cast<double>(rows + 2) * 0x1p-24 * size) << rows << ' ' << j;
  }
}

TEST(ColumnSum, AddsEachColumnToWhatIsThere) {
  for (const std::int64_t rows : {0, 1, 127, 128, 129, 400}) {
    check_column_sum<float>(rows, 5);
    check_column_sum<Bfloat16>(rows, 5);
  }
}

}  // namespace
}  // namespace qed::cuda
