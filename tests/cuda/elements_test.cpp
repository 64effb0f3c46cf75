// The GPU's swiglu backward, scatter_rows, changes of dtype and rope's gradient, run on the CPU,
// against the CPU's ops; and that the place of rows in memory changes no bit of the kernels that
// take four numbers at a time.

#include "core/cuda/kernels/elements.h"
#include "core/cuda/kernels/rms_norm.h"
#include "core/cuda/kernels/scatter_rows.h"
#include "core/ops/cpu_kernels.h"
#include "core/ops/embedding.h"
#include "core/ops/gemm.h"
#include "core/ops/select_rows.h"
#include "tests/cuda/numbers.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <vector>

namespace qed::cuda {
namespace {

using ops::cpu_kernels;

template <class T>
std::vector<T> swiglu_backward(std::int64_t rows, std::int64_t dim, const T* dout,
                               const T* gate_up) {
  std::vector<T> din(static_cast<std::size_t>(rows * 2 * dim));
  run_elements(SwigluBackwardBody<T>{{rows, dim, kDtype<T>, 0, dout, gate_up, din.data()}});
  return din;
}

template <class T>
void expect_cpus_swiglu_backward(std::int64_t rows, std::int64_t dim) {
  const auto dout = random_numbers<T>(rows * dim, 1);
  const auto gate_up = random_numbers<T>(rows * 2 * dim, 2, 4);
  std::vector<float> din(gate_up.size());
  cpu_kernels().swiglu_backward(widened(dout).data(), widened(gate_up).data(), din.data(), rows,
                                dim);
  const std::vector<T> own = swiglu_backward(rows, dim, dout.data(), gate_up.data());
  expect_near(widened(own), din, kTolerance<T>);

  std::vector<T> in_place = gate_up;
  run_elements(SwigluBackwardBody<T>{
      {rows, dim, kDtype<T>, 0, dout.data(), in_place.data(), in_place.data()}});
  EXPECT_EQ(widened(in_place), widened(own));
  EXPECT_EQ(
      widened(swiglu_backward(rows, dim, shifted(dout).data() + 1, shifted(gate_up).data() + 1)),
      widened(own));
}

TEST(SwigluBackward, IsTheCpusInPlaceAndAtEveryAddress) {
  for (const std::int64_t dim : {1, 50, 128, 257}) {
    for (const std::int64_t rows : {0, 1, 7}) {
      expect_cpus_swiglu_backward<float>(rows, dim);
      expect_cpus_swiglu_backward<Bfloat16>(rows, dim);
    }
  }
}

TEST(SwigluBackward, OfLargeGatesIsFinite) {
  const std::vector<float> dout = {3, 3}, gate_up = {-1000, 1000, 2, 2};
  const std::vector<float> expected = {0, 6, 0, 3000};
  EXPECT_EQ(swiglu_backward(1, 2, dout.data(), gate_up.data()), expected);
}

// Where each of `targets` gets its rows from: row j of `from` goes to to[number[j]].
struct Sources {
  std::vector<std::int32_t> target, first = {0}, source;

  Sources(const std::vector<std::int32_t>& targets, const std::vector<std::int64_t>& number)
      : target(targets) {
    for (const std::int32_t t : target) {
      for (std::size_t j = 0; j < number.size(); ++j) {
        if (number[j] == t) source.push_back(static_cast<std::int32_t>(j));
      }
      first.push_back(static_cast<std::int32_t>(source.size()));
    }
  }
};

template <class From, class To>
void scatter(const Sources& s, std::int64_t dim, const From* from, To* to, bool accumulates) {
  run_elements(ScatterRowsBody<From, To>{{.targets = std::ssize(s.target),
                                          .dim = dim,
                                          .from_dtype = kDtype<From>,
                                          .to_dtype = kDtype<To>,
                                          .accumulate = accumulates ? 1 : 0,
                                          .reserved = 0,
                                          .from = from,
                                          .target = s.target.data(),
                                          .first = s.first.data(),
                                          .source = s.source.data(),
                                          .to = to}});
}

at::Tensor tensor(const std::vector<float>& x, std::int64_t rows) {
  at::Tensor out = at::empty({rows, std::ssize(x) / rows}, at::kFloat);
  std::copy(x.begin(), x.end(), out.data_ptr<float>());
  return out;
}
at::Tensor tensor(const std::vector<std::int64_t>& x) {
  at::Tensor out = at::empty({std::ssize(x)}, at::kLong);
  std::copy(x.begin(), x.end(), out.data_ptr<std::int64_t>());
  return out;
}

// Most rows are of number 3: more than a thread fetches at a time.
std::vector<std::int64_t> repeated_numbers(std::int64_t count) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(i % 3 == 0 ? i % 20 : 3);
  return out;
}

template <class T>
void expect_cpus_embedding_gradient(std::int64_t dim) {
  const std::int64_t vocab = 20;
  const std::vector<std::int64_t> id = repeated_numbers(50);
  const auto dout = random_numbers<T>(50 * dim, 3);
  const auto before = random_numbers<float>(vocab * dim, 4);

  const at::Tensor w = at::zeros({2, dim, 16}, at::kFloat).requires_grad_();
  w.mutable_grad() = at::zeros({2, dim, 16}, at::kFloat);
  ops::to_panels(before.data(), vocab, dim, w.mutable_grad().data_ptr<float>(), 0);
  ops::embedding(tensor(id), w).backward(tensor(widened(dout), 50));
  std::vector<float> cpu(before.size());
  ops::from_panels(w.grad().const_data_ptr<float>(), 0, vocab, dim, cpu.data());

  std::vector<float> own = before;
  scatter(Sources({3, 0, 18, 15, 12, 9, 6, 1, 4, 7, 10, 13, 16, 19, 2, 5, 8}, id), dim, dout.data(),
          own.data(), true);
  EXPECT_EQ(own, cpu);  // to the bit: the order is the CPU's
}

TEST(ScatterRows, OfAnEmbeddingIsTheCpusGradientToTheBit) {
  for (const std::int64_t dim : {1, 24, 135}) {
    expect_cpus_embedding_gradient<float>(dim);
    expect_cpus_embedding_gradient<Bfloat16>(dim);
  }
}

template <class T>
void expect_cpus_selected_gradient(std::int64_t dim) {
  const std::vector<std::int64_t> row = repeated_numbers(50);
  const auto dout = random_numbers<T>(50 * dim, 5);
  const at::Tensor x = at::zeros({21, dim}, at::kFloat).requires_grad_();
  ops::select_rows(x, tensor(row)).backward(tensor(widened(dout), 50));
  const float* const grad = x.grad().const_data_ptr<float>();

  std::vector<std::int32_t> targets(21);  // the last of which no row goes to
  for (std::int32_t t = 0; t < 21; ++t) targets[static_cast<std::size_t>(t)] = t;
  const Sources sources(targets, row);
  auto dx = random_numbers<T>(21 * dim, 6), moved = shifted(dx);
  scatter(sources, dim, dout.data(), dx.data(), false);
  expect_near(widened(dx), {grad, grad + 21 * dim}, kTolerance<T>);
  scatter(sources, dim, shifted(dout).data() + 1, moved.data() + 1, false);
  EXPECT_EQ(widened(shifted_back(moved)), widened(dx));
}

TEST(ScatterRows, OfSelectedRowsIsTheCpusGradientAtEveryAddress) {
  for (const std::int64_t dim : {1, 24, 135}) {
    expect_cpus_selected_gradient<float>(dim);
    expect_cpus_selected_gradient<Bfloat16>(dim);
  }
}

TEST(ScatterRows, OfNoTargetsChangesNothing) {
  std::vector<float> to = {1, 2};
  scatter<float, float>(Sources({}, {}), 2, nullptr, to.data(), false);
  EXPECT_EQ(to, (std::vector<float>{1, 2}));
}

template <class From, class To>
void expect_same_numbers_converted(std::int64_t n) {
  const auto from = random_numbers<From>(n, 13);
  std::vector<To> expected(from.size()), to(from.size() + 1), moved(from.size() + 1);
  for (std::size_t i = 0; i < from.size(); ++i) put(expected[i], to_float(from[i]));
  put(to.back(), 7.0f);
  run_elements(ConvertBody<From, To>{{n, kDtype<From>, kDtype<To>, from.data(), to.data()}});
  EXPECT_EQ(to_float(to.back()), 7);
  to.pop_back();
  EXPECT_EQ(widened(to), widened(expected));
  run_elements(ConvertBody<From, To>{
      {n, kDtype<From>, kDtype<To>, shifted(from).data() + 1, moved.data() + 1}});
  EXPECT_EQ(widened(shifted_back(moved)), widened(expected));
}

TEST(Convert, RoundsOrWidensEachNumberAndNoMore) {
  for (const std::int64_t n : {0, 1, 4, 7, 130}) {
    expect_same_numbers_converted<float, Bfloat16>(n);
    expect_same_numbers_converted<Bfloat16, float>(n);
  }
}

// Rows at positions of packed sequences; without a cache.
template <class T>
struct Rotation {
  std::int64_t heads, kv_heads, dim;
  std::vector<std::int32_t> position = {0, 1, 2, 0, 9, 5, 6};
  std::vector<float> cos = random_floats(static_cast<std::size_t>(10 * dim / 2), 7);
  std::vector<float> sin = random_floats(static_cast<std::size_t>(10 * dim / 2), 8);

  std::int64_t rows() const { return std::ssize(position); }
  std::int64_t width() const { return (heads + 2 * kv_heads) * dim; }
  void run(T* qkv, float direction) {
    run_elements(RopeBody<T>{{.rows = rows(),
                              .heads = heads,
                              .kv_heads = kv_heads,
                              .dim = dim,
                              .dtype = kDtype<T>,
                              .direction = direction,
                              .qkv = qkv,
                              .position = position.data(),
                              .cos = cos.data(),
                              .sin = sin.data(),
                              .pool = nullptr,
                              .sequence = nullptr,
                              .pages = nullptr,
                              .max_pages = 0}});
  }
};

template <class T>
void expect_cpus_rope(std::int64_t heads, std::int64_t kv_heads, std::int64_t dim) {
  Rotation<T> rotation{heads, kv_heads, dim};
  const auto qkv = random_numbers<T>(rotation.rows() * rotation.width(), 9);
  const std::vector<std::int64_t> position(rotation.position.begin(), rotation.position.end());
  for (const float direction : {1.0f, -1.0f}) {
    std::vector<float> cpu = widened(qkv);
    cpu_kernels().rope(cpu.data(), rotation.width(), position.data(), rotation.cos.data(),
                       rotation.sin.data(), rotation.rows(), heads + kv_heads, dim, direction);
    std::vector<T> own = qkv, moved = shifted(qkv);
    rotation.run(own.data(), direction);
    expect_near(widened(own), cpu, kTolerance<T>);
    rotation.run(moved.data() + 1, direction);
    EXPECT_EQ(widened(shifted_back(moved)), widened(own));
    for (std::int64_t row = 1; row <= rotation.rows(); ++row) {  // values stay
      for (std::int64_t i = row * rotation.width() - kv_heads * dim; i < row * rotation.width();
           ++i) {
        ASSERT_EQ(to_float(own[static_cast<std::size_t>(i)]), cpu[static_cast<std::size_t>(i)]);
      }
    }
  }
}

TEST(Rope, InBothDirectionsIsTheCpusWithoutACacheAndAtEveryAddress) {
  for (const std::int64_t dim : {2, 6, 20, 64, 128}) {
    expect_cpus_rope<float>(3, 1, dim);
    expect_cpus_rope<Bfloat16>(4, 2, dim);
  }
}

TEST(Rope, OfNoRowsChangesNothing) {
  Rotation<float> rotation{2, 1, 8};
  rotation.position.clear();
  rotation.run(nullptr, -1);
}

// The forward kernels that take fours, on rows of which none is aligned.
template <class T>
void expect_same_bits_where_rows_are_not_aligned() {
  const std::int64_t rows = 3, dim = 132;
  const auto x = random_numbers<T>(rows * 2 * dim, 10), delta = random_numbers<T>(rows * dim, 11);
  const auto weight = random_floats(static_cast<std::size_t>(dim), 12);
  const std::vector<std::int32_t> id = {4, 0, 4};
  const auto outputs = [&](const T* from, const T* add, std::size_t shift) {
    std::vector<std::vector<float>> out;
    for (int kernel = 0; kernel < 3; ++kernel) {
      std::vector<T> y(static_cast<std::size_t>(rows * dim) + shift), sum = y;
      T* const to = y.data() + shift;
      if (kernel == 0) {
        run_blocks(RmsNormBody<T>{{rows, dim, kDtype<T>, 1e-6f, from, add, weight.data(),
                                   sum.data() + shift, to, nullptr}},
                   rows);
      } else if (kernel == 1) {
        run_elements(SwigluBody<T>{{rows, dim, kDtype<T>, from, to}});
      } else {
        run_elements(EmbeddingBody<T>{{rows, dim, kDtype<T>, id.data(), from, to}});
      }
      out.push_back(
          widened(std::vector<T>(y.begin() + static_cast<std::ptrdiff_t>(shift), y.end())));
    }
    return out;
  };
  EXPECT_EQ(outputs(shifted(x).data() + 1, shifted(delta).data() + 1, 1),
            outputs(x.data(), delta.data(), 0));
}

TEST(RmsNormSwigluAndEmbedding, HaveTheSameBitsWhereRowsAreNotAligned) {
  expect_same_bits_where_rows_are_not_aligned<float>();
  expect_same_bits_where_rows_are_not_aligned<Bfloat16>();
}

}  // namespace
}  // namespace qed::cuda
