// The GPU's rms_norm backward, run on the CPU, against the CPU's kernel. Sums over rows have one
// order here and another there: see kSumTolerance.

#include "core/cuda/kernels/rms_norm.h"
#include "core/ops/cpu_kernels.h"
#include "tests/cuda/numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace qed::cuda {
namespace {

using ops::cpu_kernels;

constexpr float kEps = 1e-6f;

struct Rows {
  std::int64_t rows, dim;
};
// Widths that are no multiple of four, of a warp or of a block; one row; more than one piece.
constexpr Rows kRows[] = {{1, 3},     {3, 24},    {127, 127}, {kRowPiece, 128},
                          {129, 132}, {300, 257}, {5, 2052},  {130, 896}};

template <class T>
struct Norm {
  std::int64_t rows, dim;
  std::vector<T> x, dy, before, dx;
  std::vector<float> weight, rstd, dweight, parts;

  explicit Norm(Rows shape) : rows(shape.rows), dim(shape.dim) {
    x = random_numbers<T>(rows * dim, 1, 2);
    dy = random_numbers<T>(rows * dim, 2);
    before = random_numbers<T>(rows * dim, 3);
    dx = random_numbers<T>(rows * dim, 4);
    weight = random_numbers<float>(dim, 5);
    dweight = random_numbers<float>(dim, 6);
    rstd.resize(static_cast<std::size_t>(rows));
    std::vector<float> y(x.size());
    cpu_kernels().rms_norm(widened(x).data(), weight.data(), y.data(), rstd.data(), rows, dim,
                           kEps);
    parts.assign(static_cast<std::size_t>(num_row_pieces(rows) * dim), NAN);
  }

  RmsNormBackwardArgs args() {
    return {.rows = rows,
            .dim = dim,
            .dtype = kDtype<T>,
            .reserved = 0,
            .dy = dy.data(),
            .x = x.data(),
            .weight = weight.data(),
            .rstd = rstd.data(),
            .before = before.data(),
            .dx = dx.data(),
            .parts = parts.data(),
            .dweight = dweight.data()};
  }
};

// The kernels of core/cuda/kernels/rms_norm.cu, in their order.
template <class T>
void run(const RmsNormBackwardArgs& args) {
  const RmsNormPieceBody<T> piece{args};
  run_blocks(piece, piece.num_blocks());
  run_elements(PiecesBody{num_row_pieces(args.rows), args.dim, args.parts, args.dweight, nullptr});
  run_blocks(RmsNormBackwardBody<T>{args}, args.rows);
}

template <class T>
void expect_cpus_norm_backward(Rows shape, bool has_before) {
  Norm<T> norm(shape);
  std::vector<float> dx(norm.x.size()), dweight = norm.dweight;
  const std::vector<float> before = widened(norm.before);
  cpu_kernels().rms_norm_backward(
      widened(norm.dy).data(), widened(norm.x).data(), norm.weight.data(), norm.rstd.data(),
      has_before ? before.data() : nullptr, dx.data(), dweight.data(), norm.rows, norm.dim);
  RmsNormBackwardArgs args = norm.args();
  if (!has_before) args.before = nullptr;
  run<T>(args);
  expect_near(widened(norm.dx), dx, kTolerance<T>);
  expect_near(norm.dweight, dweight, kSumTolerance);
}

TEST(RmsNormBackward, IsTheCpusForEveryShape) {
  for (const Rows& shape : kRows) {
    for (const bool has_before : {false, true}) {
      expect_cpus_norm_backward<float>(shape, has_before);
      expect_cpus_norm_backward<Bfloat16>(shape, has_before);
    }
  }
}

// Its norm is its sign but for eps: two terms cancel, and their rounding is left.
TEST(RmsNormBackward, OfASingleNumberIsNextToNothing) {
  Norm<float> norm({9, 1});
  RmsNormBackwardArgs args = norm.args();
  args.before = nullptr;
  run<float>(args);
  for (std::size_t i = 0; i < norm.dx.size(); ++i) {
    const float term = norm.dy[i] * norm.weight[0] * norm.rstd[i];
    const float left = term * kEps * norm.rstd[i] * norm.rstd[i];
    EXPECT_NEAR(norm.dx[i], left, kFloatTolerance * std::abs(term));
  }
}

TEST(RmsNormBackward, OfNoRowsChangesNothing) {
  Norm<float> norm({0, 24});
  const std::vector<float> dweight = norm.dweight;
  run<float>(norm.args());
  EXPECT_EQ(norm.dweight, dweight);
}

TEST(RmsNormBackward, MayWriteWhereEachOfItsInputsLies) {
  const Rows shape{130, 132};
  Norm<float> apart(shape);
  run<float>(apart.args());
  for (auto Norm<float>::*input : {&Norm<float>::dy, &Norm<float>::x, &Norm<float>::before}) {
    Norm<float> in_place(shape);
    RmsNormBackwardArgs args = in_place.args();
    args.dx = (in_place.*input).data();
    run<float>(args);
    EXPECT_EQ(in_place.*input, apart.dx);
    EXPECT_EQ(in_place.dweight, apart.dweight);
  }
}

template <class T>
void expect_same_bits_where_rows_are_not_aligned() {
  const Rows shape{130, 132};
  Norm<T> aligned(shape), moved(shape);
  run<T>(aligned.args());
  const std::vector<T> dy = shifted(moved.dy), x = shifted(moved.x);
  std::vector<T> dx = shifted(moved.dx);
  RmsNormBackwardArgs args = moved.args();
  args.dy = dy.data() + 1, args.x = x.data() + 1, args.dx = dx.data() + 1;
  run<T>(args);
  EXPECT_EQ(widened(shifted_back(dx)), widened(aligned.dx));
  EXPECT_EQ(moved.dweight, aligned.dweight);
}

TEST(RmsNormBackward, HasTheSameBitsWhereRowsAreNotAligned) {
  expect_same_bits_where_rows_are_not_aligned<float>();
  expect_same_bits_where_rows_are_not_aligned<Bfloat16>();
}

TEST(RmsNormBackward, OfARowDependsOnThatRowAlone) {
  Norm<float> all({5, 200});
  run<float>(all.args());
  Norm<float> last({5, 200});
  RmsNormBackwardArgs args = last.args();
  args.rows = 1, args.dy = last.dy.data() + 800, args.x = last.x.data() + 800;
  args.before = last.before.data() + 800, args.rstd = last.rstd.data() + 4;
  run<float>(args);
  EXPECT_EQ(std::vector<float>(last.dx.begin(), last.dx.begin() + 200),
            std::vector<float>(all.dx.end() - 200, all.dx.end()));
}

}  // namespace
}  // namespace qed::cuda
