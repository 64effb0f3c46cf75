// The GPU's head_norm and its backward, run on the CPU, against the CPU's op and its gradient.

#include "core/cuda/kernels/head_norm_backward.h"
#include "core/ops/rms_norm.h"
#include "tests/cuda/numbers.h"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace qed::cuda {
namespace {

constexpr float kEps = 1e-6f;

struct Heads {
  std::int64_t rows, heads, kv_heads, dim, rest;  // rest: elements after the normed heads
};
// Qwen3's heads of 128; a rest that is no multiple of a head, or none; heads of more than a warp.
constexpr Heads kHeads[] = {{1, 1, 1, 3, 0},    {5, 3, 1, 20, 27},   {3, 14, 2, 64, 128},
                            {3, 2, 2, 260, 64}, {130, 9, 1, 16, 16}, {257, 2, 1, 128, 128}};

template <class T>
struct HeadNorms {
  Heads h;
  std::int64_t width;
  std::vector<T> x, y, dy, dx;
  std::vector<float> q_weight, k_weight, rstd, dq_weight, dk_weight, parts;

  explicit HeadNorms(const Heads& shape)
      : h(shape), width((h.heads + h.kv_heads) * h.dim + h.rest) {
    x = random_numbers<T>(h.rows * width, 1, 2);
    y = random_numbers<T>(h.rows * width, 2);
    dy = random_numbers<T>(h.rows * width, 3);
    dx = random_numbers<T>(h.rows * width, 4);
    q_weight = random_numbers<float>(h.dim, 5), k_weight = random_numbers<float>(h.dim, 6);
    dq_weight = random_numbers<float>(h.dim, 7), dk_weight = random_numbers<float>(h.dim, 8);
    rstd.assign(static_cast<std::size_t>(h.rows * (h.heads + h.kv_heads)), NAN);
    parts.assign(static_cast<std::size_t>(num_row_pieces(h.rows) * 2 * h.dim), NAN);
  }

  HeadNormArgs args() {
    return {.rows = h.rows,
            .heads = h.heads,
            .kv_heads = h.kv_heads,
            .dim = h.dim,
            .width = width,
            .dtype = kDtype<T>,
            .eps = kEps,
            .x = x.data(),
            .q_weight = q_weight.data(),
            .k_weight = k_weight.data(),
            .y = y.data(),
            .rstd = rstd.data()};
  }
  HeadNormBackwardArgs backward_args() {
    return {.rows = h.rows,
            .heads = h.heads,
            .kv_heads = h.kv_heads,
            .dim = h.dim,
            .width = width,
            .dtype = kDtype<T>,
            .reserved = 0,
            .dy = dy.data(),
            .x = x.data(),
            .q_weight = q_weight.data(),
            .k_weight = k_weight.data(),
            .rstd = rstd.data(),
            .dx = dx.data(),
            .parts = parts.data(),
            .dq_weight = dq_weight.data(),
            .dk_weight = dk_weight.data()};
  }
};

// The kernels of core/cuda/kernels/head_norm.cu, in their order.
template <class T>
void run(const HeadNormArgs& args) {
  const HeadNormBody<T> body{args};
  run_blocks(body, body.num_blocks());
}
template <class T>
void run(const HeadNormBackwardArgs& args) {
  const HeadNormPieceBody<T> piece{args};
  const HeadNormBackwardBody<T> dx{args};
  run_blocks(piece, piece.num_blocks());
  run_elements(
      PiecesBody{num_row_pieces(args.rows), args.dim, args.parts, args.dq_weight, args.dk_weight});
  run_blocks(dx, dx.num_blocks());
}

at::Tensor tensor(const std::vector<float>& x, std::int64_t rows) {
  at::Tensor out = at::empty({rows, std::ssize(x) / rows}, at::kFloat);
  std::copy(x.begin(), x.end(), out.data_ptr<float>());
  return out;
}
std::vector<float> numbers(const at::Tensor& x) {
  return {x.const_data_ptr<float>(), x.const_data_ptr<float>() + x.numel()};
}

template <class T>
void expect_cpus_head_norm(const Heads& shape) {
  HeadNorms<T> norm(shape);
  const at::Tensor x = tensor(widened(norm.x), shape.rows).requires_grad_();
  const at::Tensor q = tensor(norm.q_weight, 1).view({-1}).requires_grad_();
  const at::Tensor k = tensor(norm.k_weight, 1).view({-1}).requires_grad_();
  const at::Tensor y = ops::head_norm(x, q, k, shape.heads, shape.kv_heads, kEps);
  y.backward(tensor(widened(norm.dy), shape.rows));
  std::vector<float> dq = norm.dq_weight, dk = norm.dk_weight;
  for (std::size_t d = 0; d < dq.size(); ++d) {
    dq[d] += q.grad().const_data_ptr<float>()[d];
    dk[d] += k.grad().const_data_ptr<float>()[d];
  }

  run<T>(norm.args());
  run<T>(norm.backward_args());
  expect_near(widened(norm.y), numbers(y), kTolerance<T>);
  expect_near(widened(norm.dx), numbers(x.grad()), kTolerance<T>);
  expect_near(norm.dq_weight, dq, kSumTolerance);
  expect_near(norm.dk_weight, dk, kSumTolerance);
  const std::vector<float> from = widened(norm.x), to = widened(norm.y);
  const std::vector<float> dfrom = widened(norm.dy), dto = widened(norm.dx);
  for (std::int64_t row = 1; row <= shape.rows; ++row) {
    for (std::int64_t i = row * norm.width - shape.rest; i < row * norm.width; ++i) {
      const auto at = static_cast<std::size_t>(i);
      ASSERT_EQ(to[at], from[at]);
      ASSERT_EQ(dto[at], dfrom[at]);
    }
  }
}

TEST(HeadNorm, AndItsBackwardAreTheCpusForEveryShape) {
  for (const Heads& shape : kHeads) {
    expect_cpus_head_norm<float>(shape);
    expect_cpus_head_norm<Bfloat16>(shape);
  }
}

TEST(HeadNorm, WithoutAPlaceForTheFactorsHasTheSameOutput) {
  HeadNorms<float> with(kHeads[1]), without(kHeads[1]);
  run<float>(with.args());
  HeadNormArgs args = without.args();
  args.rstd = nullptr;
  run<float>(args);
  EXPECT_EQ(without.y, with.y);
}

TEST(HeadNorm, OfNoRowsChangesNothing) {
  HeadNorms<float> norm({0, 2, 1, 8, 8});
  const std::vector<float> dq = norm.dq_weight, dk = norm.dk_weight;
  run<float>(norm.args());
  run<float>(norm.backward_args());
  EXPECT_EQ(norm.dq_weight, dq);
  EXPECT_EQ(norm.dk_weight, dk);
}

TEST(HeadNorm, MayWriteWhereItsInputLies) {
  for (const Heads& shape : {kHeads[1], kHeads[4]}) {
    HeadNorms<float> apart(shape), in_place(shape);
    run<float>(apart.args());
    run<float>(apart.backward_args());

    const std::vector<float> x = in_place.x;
    HeadNormArgs args = in_place.args();
    args.y = in_place.x.data();
    run<float>(args);
    EXPECT_EQ(in_place.x, apart.y);
    HeadNormBackwardArgs backward = in_place.backward_args();
    backward.x = x.data(), backward.dx = in_place.dy.data();
    run<float>(backward);
    EXPECT_EQ(in_place.dy, apart.dx);
    EXPECT_EQ(in_place.dq_weight, apart.dq_weight);
    EXPECT_EQ(in_place.dk_weight, apart.dk_weight);
  }
}

template <class T>
void expect_same_bits_where_heads_are_not_aligned() {
  const Heads shape{5, 2, 1, 132, 132};
  HeadNorms<T> aligned(shape), moved(shape);
  run<T>(aligned.args());
  run<T>(aligned.backward_args());
  const std::vector<T> x = shifted(moved.x), dy = shifted(moved.dy);
  std::vector<T> y = shifted(moved.y), dx = shifted(moved.dx);
  HeadNormArgs args = moved.args();
  args.x = x.data() + 1, args.y = y.data() + 1;
  run<T>(args);
  HeadNormBackwardArgs backward = moved.backward_args();
  backward.x = x.data() + 1, backward.dy = dy.data() + 1, backward.dx = dx.data() + 1;
  run<T>(backward);
  EXPECT_EQ(widened(shifted_back(y)), widened(aligned.y));
  EXPECT_EQ(widened(shifted_back(dx)), widened(aligned.dx));
  EXPECT_EQ(moved.dq_weight, aligned.dq_weight);
}

TEST(HeadNorm, HasTheSameBitsWhereHeadsAreNotAligned) {
  expect_same_bits_where_heads_are_not_aligned<float>();
  expect_same_bits_where_heads_are_not_aligned<Bfloat16>();
}

}  // namespace
}  // namespace qed::cuda
