// The laws of order: a row of a result depends on its own inputs alone, to the bit.

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <limits>

#include "core/ops/distribution.h"
#include "core/ops/embedding.h"
#include "core/ops/gemm.h"
#include "core/ops/linear.h"
#include "core/ops/matrix.h"
#include "core/ops/rms_norm.h"
#include "core/ops/swiglu.h"
#include "core/util/half.h"
#include "tests/ops/reference.h"

namespace qed {
namespace {

// Sets the number of threads for one scope.
class Threads {
 public:
  explicit Threads(int n) : before_(at::get_num_threads()) { at::set_num_threads(n); }
  ~Threads() { at::set_num_threads(before_); }

 private:
  int before_;
};

using Tensors = std::vector<at::Tensor>;

// Runs `f` with 1, 2 and 3 threads and expects the same bits.
void expect_same_with_threads(const std::function<Tensors()>& f) {
  const Tensors one = [&] {
    const Threads threads(1);
    return f();
  }();
  for (const int n : {2, 3}) {
    const Threads threads(n);
    const Tensors many = f();
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_TRUE(same_bits(one[i], many[i])) << "tensor " << i << " with " << n << " threads";
    }
  }
}

// Gradients of the inputs of `f`, for one random gradient from above.
Tensors gradients(const Tensors& inputs, const std::function<at::Tensor(const Tensors&)>& f) {
  Tensors leaves, out;
  for (const at::Tensor& input : inputs) leaves.push_back(input.clone().set_requires_grad(true));
  const at::Tensor y = f(leaves);
  y.backward(random_tensor(y.sizes().vec(), 98));
  out.push_back(y.detach());
  for (const at::Tensor& leaf : leaves) out.push_back(leaf.grad());
  return out;
}

// `f` maps rows [T, K] to rows. Each row alone, and in batches of other sizes at other places.
void expect_rows_apart(const at::Tensor& x, const std::function<at::Tensor(const at::Tensor&)>& f) {
  const at::NoGradGuard no_grad;
  const at::Tensor whole = f(x);
  for (std::int64_t begin = 0; begin < x.size(0); ++begin) {
    for (const std::int64_t count : {1, 2, 7, 24, 65}) {
      if (begin + count > x.size(0)) continue;
      const at::Tensor part = f(x.narrow(0, begin, count).contiguous());
      ASSERT_TRUE(same_bits(part, whole.narrow(0, begin, count)))
          << count << " rows from row " << begin;
    }
  }
}

TEST(Bitwise, ARowOfLinearDependsOnThatRowAlone) {
  for (const auto& [n, k] : {std::pair{50, 33}, std::pair{16, 64}, std::pair{21, 65}}) {
    const at::Tensor w = panels(random_tensor({n, k}, 1)), bias = padded(random_tensor({n}, 2));
    expect_rows_apart(random_tensor({70, k}, 3),
                      [&, n = n](const at::Tensor& x) { return ops::linear(x, w, bias, n); });
  }
}

TEST(Bitwise, ARowOfEveryRowwiseOpDependsOnThatRowAlone) {
  const at::Tensor x = random_tensor({70, 48}, 4), weight = random_tensor({48}, 5);
  expect_rows_apart(x, [&](const at::Tensor& part) { return ops::rms_norm(part, weight, 1e-6f); });
  expect_rows_apart(x, [&](const at::Tensor& part) { return ops::swiglu(part); });
}

TEST(Bitwise, ForwardIsTheSameWithAndWithoutAGradient) {
  const at::Tensor x = random_tensor({40, 48}, 6), w = panels(random_tensor({20, 48}, 7));
  const ops::Heads heads{2, 1, 12};
  const std::vector<std::int64_t> offset = {0, 7, 40};
  const std::function<at::Tensor()> all[] = {
      [&] { return ops::linear(x, w, {}, 20); },
      [&] { return ops::rms_norm(x, x[0].contiguous(), 1e-6f); },
      [&] { return ops::swiglu(x); },
      [&] { return ops::attention(x, heads, offset); },
      [&] { return ops::embedding(random_ids(9, 0, 19, 8), w); },
  };
  for (const auto& f : all) {
    const at::Tensor with = f();
    const at::NoGradGuard no_grad;
    EXPECT_TRUE(same_bits(f(), with));
  }
}

TEST(Bitwise, LinearDoesNotDependOnThreads) {
  const at::Tensor x = random_tensor({70, 65}, 9), bias = random_tensor({130}, 10);
  const at::Tensor w = random_tensor({130, 65}, 11);
  expect_same_with_threads([&] {
    return gradients({x, w, bias}, [](const Tensors& in) {
      return ops::linear(in[0], panels(in[1]), padded(in[2]), 130);
    });
  });
  // Many rows: pieces that pack for themselves, or read in place what is in whole blocks.
  for (const auto& [rows, depth, n] : {std::array{700, 65, 130}, std::array{600, 96, 160}}) {
    const at::Tensor many = random_tensor({rows, depth}, 12), to = random_tensor({n, depth}, 13);
    expect_same_with_threads([&, n = n] {
      return gradients({many, to},
                       [&](const Tensors& in) { return ops::linear(in[0], panels(in[1]), {}, n); });
    });
  }
  // Few rows, many panels: cut the other way.
  expect_same_with_threads([&] {
    return Tensors{ops::linear(x.narrow(0, 0, 20).contiguous(), panels(w), padded(bias), 130)};
  });
}

TEST(Bitwise, AttentionOfASequenceDependsOnThatSequenceAlone) {
  const at::NoGradGuard no_grad;
  for (const std::int64_t dim : {8, 16, 24, 64}) {
    const ops::Heads heads{4, 2, dim};
    const std::vector<std::int64_t> offset = {0, 1, 18, 58, 90};
    const at::Tensor qkv = random_tensor({90, heads.qkv_width()}, 12, 2);
    const at::Tensor whole = ops::attention(qkv, heads, offset);
    for (std::size_t b = 0; b + 1 < offset.size(); ++b) {
      const std::int64_t length = offset[b + 1] - offset[b];
      // Its rows see nothing of the future: every prefix gives the same bits.
      for (const std::int64_t part : {length, (length + 1) / 2, std::int64_t{1}}) {
        const std::vector<std::int64_t> alone = {0, part};
        const at::Tensor out =
            ops::attention(qkv.narrow(0, offset[b], part).contiguous(), heads, alone);
        EXPECT_TRUE(same_bits(out, whole.narrow(0, offset[b], part)))
            << "sequence " << b << ", " << part << " rows, dim " << dim;
      }
    }
  }
}

TEST(Bitwise, AttentionDoesNotDependOnThreads) {
  const ops::Heads heads{4, 2, 24};
  const std::vector<std::int64_t> offset = {0, 1, 18, 58, 90}, prefix = {-1, -1, 1, 1};
  for (const auto& p : {std::vector<std::int64_t>(), prefix}) {
    expect_same_with_threads([&] {
      return gradients({random_tensor({90, heads.qkv_width()}, 13, 2)},
                       [&](const Tensors& in) { return ops::attention(in[0], heads, offset, p); });
    });
  }
}

TEST(Bitwise, AttentionAfterASharedPrefixEqualsThatAfterACopyOfIt) {
  const at::NoGradGuard no_grad;
  for (const std::int64_t before : {1, 15, 16, 37}) {
    const ops::Heads heads{4, 2, 24};
    const at::Tensor prompt = random_tensor({before, heads.qkv_width()}, 30, 2);
    const at::Tensor a = random_tensor({1, heads.qkv_width()}, 31, 2);
    const at::Tensor b = random_tensor({33, heads.qkv_width()}, 32, 2);
    const std::vector<std::int64_t> shared = {0, before, before + 1, before + 34};
    const std::vector<std::int64_t> prefix = {-1, 0, 0};
    const std::vector<std::int64_t> copied = {0, before + 1, 2 * before + 34};
    const at::Tensor one = ops::attention(at::cat({prompt, a, b}, 0), heads, shared, prefix);
    const at::Tensor two = ops::attention(at::cat({prompt, a, prompt, b}, 0), heads, copied);
    EXPECT_TRUE(same_bits(one.narrow(0, 0, before + 1), two.narrow(0, 0, before + 1))) << before;
    EXPECT_TRUE(same_bits(one.narrow(0, before + 1, 33), two.narrow(0, 2 * before + 1, 33)))
        << before;
  }
}

// A pool of 20 pages, filled with what no one may see, and sequences with pages here and there.
struct Pool {
  explicit Pool(const ops::Heads& heads) : data(20 * ops::page_floats(heads), std::nanf("")) {}
  std::vector<float> data;
};

TEST(Bitwise, PagedAttentionRowByRowEqualsPackedAttention) {
  const at::NoGradGuard no_grad;
  for (const std::int64_t dim : {8, 16, 24, 64}) {
    const ops::Heads heads{4, 2, dim};
    const std::vector<std::int64_t> offset = {0, 40};
    const std::vector<std::int32_t> pages = {7, 2, 19};
    const at::Tensor qkv = random_tensor({40, heads.qkv_width()}, 14, 2);
    const at::Tensor packed = ops::attention(qkv, heads, offset);
    Pool pool(heads);
    for (std::int64_t t = 0; t < 40; ++t) {
      const ops::CacheRun run{0, 1, t, pages.data()};
      const at::Tensor out =
          ops::attention_paged(qkv.narrow(0, t, 1), heads, pool.data.data(), std::span(&run, 1));
      ASSERT_TRUE(same_bits(out, packed.narrow(0, t, 1))) << "row " << t << ", dim " << dim;
    }
  }
}

TEST(Bitwise, PagedAttentionMixesPrefillAndDecodingOfManySequences) {
  const at::NoGradGuard no_grad;
  const ops::Heads heads{6, 2, 16};
  const std::vector<std::int64_t> offset = {0, 20, 50};
  const std::vector<std::int32_t> one = {3, 0}, two = {11, 4};
  const at::Tensor qkv = random_tensor({50, heads.qkv_width()}, 15, 2);
  const at::Tensor packed = ops::attention(qkv, heads, offset);
  Pool pool(heads);
  // First 19 rows of one sequence; then its last row among all rows of the other.
  const std::vector<ops::CacheRun> first = {{0, 19, 0, one.data()}},
                                   second = {{0, 1, 19, one.data()}, {1, 30, 0, two.data()}};
  const at::Tensor a = ops::attention_paged(qkv.narrow(0, 0, 19), heads, pool.data.data(), first);
  const at::Tensor b = ops::attention_paged(qkv.narrow(0, 19, 31), heads, pool.data.data(), second);
  EXPECT_TRUE(same_bits(at::cat({a, b}, 0), packed));
}

struct LogpInputs {
  at::Tensor h = random_tensor({300, 24}, 16), plain = random_tensor({37, 24}, 17, 2);
  at::Tensor w = panels(plain), target = random_ids(300, 0, 36, 18);
  at::Tensor inv_temperature = random_tensor({300}, 19, 0.5) + 1;

  // Every third row keeps ten ids.
  std::shared_ptr<ops::Support> support(std::int64_t begin, std::int64_t end) const {
    auto out = std::make_shared<ops::Support>();
    out->offset.push_back(0);
    for (std::int64_t r = begin; r < end; ++r) {
      const auto id = static_cast<std::int32_t>(target.const_data_ptr<std::int64_t>()[r]);
      for (std::int32_t i = std::max(0, id - 9); r % 3 == 0 && i <= id; ++i) out->ids.push_back(i);
      out->offset.push_back(static_cast<std::int64_t>(out->ids.size()));
    }
    return out;
  }
  ops::TokenLogp logp(std::int64_t begin, std::int64_t end) const {
    const auto part = [&](const at::Tensor& t) {
      return t.narrow(0, begin, end - begin).contiguous();
    };
    return ops::token_logp(part(h), w, 37, part(target), part(inv_temperature),
                           support(begin, end));
  }
};

TEST(Bitwise, ARowOfTokenLogpDependsOnThatRowAlone) {
  const LogpInputs in;
  const ops::TokenLogp whole = in.logp(0, 300);
  for (const std::int64_t count : {1, 13, 257}) {
    for (std::int64_t r = 0; r + count <= 300; r += 3) {
      const ops::TokenLogp part = in.logp(r, r + count);
      ASSERT_TRUE(same_bits(part.logp, whole.logp.narrow(0, r, count))) << r;
      ASSERT_TRUE(same_bits(part.entropy, whole.entropy.narrow(0, r, count))) << r;
    }
  }
}

TEST(Bitwise, TokenLogpDoesNotDependOnThreads) {
  const LogpInputs in;
  expect_same_with_threads([&] {
    return gradients({in.h, in.plain}, [&](const Tensors& x) {
      return ops::token_logp(x[0], panels(x[1]), 37, in.target, in.inv_temperature,
                             in.support(0, 300))
          .logp;
    });
  });
}

TEST(Bitwise, TokenLogpEqualsTheLogpThatADrawFromLinearsLogitsRecords) {
  const LogpInputs in;
  const at::Tensor logp = in.logp(0, 300).logp, logits = ops::linear(in.h, in.w, {}, 37);
  const auto support = in.support(0, 300);
  std::vector<float> scratch;
  for (std::int64_t r = 0; r < 300; ++r) {
    const std::span<const float> row(logits.const_data_ptr<float>() + r * 37, 37);
    const auto ids = std::span(support->ids)
                         .subspan(support->offset[r], support->offset[r + 1] - support->offset[r]);
    const float scale = in.inv_temperature.const_data_ptr<float>()[r];
    const ops::RowSoftmax s = ops::softmax(ops::supported(row, ids, scratch), scale);
    const float target = row[in.target.const_data_ptr<std::int64_t>()[r]];
    ASSERT_EQ(ops::logp_of(target, scale, s), logp.const_data_ptr<float>()[r]) << "row " << r;
  }
}

TEST(Bitwise, PanelsAndTheirTransposeHoldTheSameNumbers) {
  const std::int64_t n = 37, depth = 21;
  const at::Tensor w = random_tensor({n, depth}, 20), expected = panels(w);
  std::vector<float> made(ops::num_panels(n) * depth * ops::kLanes, 0.0f), back(n * depth);
  ops::to_panels(w.const_data_ptr<float>(), 20, depth, made.data(), 0);  // in two parts
  ops::to_panels(w.const_data_ptr<float>() + 20 * depth, 17, depth, made.data(), 20);
  EXPECT_EQ(std::memcmp(made.data(), expected.const_data_ptr<float>(), expected.nbytes()), 0);
  ops::from_panels(made.data(), 0, n, depth, back.data());
  EXPECT_EQ(std::memcmp(back.data(), w.const_data_ptr<float>(), w.nbytes()), 0);

  const at::Tensor turned = panels(w.t().contiguous());
  const float* transposed = ops::transpose_panels(made.data(), n, depth);
  EXPECT_EQ(std::memcmp(transposed, turned.const_data_ptr<float>(), turned.nbytes()), 0);
}

// A matrix that is turned in parts, and one of bfloat16.
TEST(Bitwise, AProductWithATransposeInPartsIsThatOfTheWhole) {
  const std::int64_t n = 2100, depth = 2003, rows = 3;  // above 4,194,304 numbers
  const at::Tensor half = random_tensor({n, depth}, 21).to(at::kBFloat16);
  const at::Tensor w = half.to(at::kFloat), a = random_tensor({rows, n}, 22);
  const at::Tensor turned = panels(w.t().contiguous());
  at::Tensor expected = at::empty({rows, depth}, at::kFloat), found = at::empty_like(expected);
  ops::gemm({.rows = rows,
             .cols = depth,
             .depth = n,
             .a = a.const_data_ptr<float>(),
             .a_row = n,
             .a_col = 1,
             .b = turned.const_data_ptr<float>(),
             .b_panel = n * ops::kLanes,
             .b_depth = ops::kLanes,
             .c = expected.data_ptr<float>(),
             .c_row = depth,
             .c_panel = ops::kLanes});
  EXPECT_LT(ops::TransposedMatrix::num_floats(n, depth), n * depth);
  for (const at::Tensor& matrix : {panels(w), panels(w).to(at::kBFloat16)}) {
    found.zero_();
    const ops::TransposedMatrix transposed(matrix, n);
    transposed.times(a.const_data_ptr<float>(), rows, n, found.data_ptr<float>());
    EXPECT_TRUE(same_bits(found, expected));
  }
}

TEST(Bitwise, RoundingToBfloat16IsToNearestAndKeepsNanAndInfinity) {
  std::vector<float> x = {0.0f, -0.0f, 1.0f, 1.00390625f, 1.01171875f, 3.4e38f, 1e-40f};
  x.push_back(std::numeric_limits<float>::infinity());
  x.push_back(std::numeric_limits<float>::quiet_NaN());
  Rng rng(23);
  while (x.size() < 1000) x.push_back(static_cast<float>(rng.real() * 20 - 10));
  std::vector<std::uint16_t> found(x.size());
  for (const ops::CpuKernels* kernels : ops::all_kernels()) {
    kernels->round_bfloat16(x.data(), found.data(), static_cast<std::int64_t>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      ASSERT_EQ(found[i], to_bfloat16(x[i])) << kernels->isa << ": " << x[i];
    }
  }
}

}  // namespace
}  // namespace qed
