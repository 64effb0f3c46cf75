// Each op, forward and every gradient, against its plain LibTorch composition in float64.

#include "tests/ops/reference.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "core/ops/embedding.h"
#include "core/ops/linear.h"
#include "core/ops/rms_norm.h"
#include "core/ops/select_rows.h"
#include "core/ops/swiglu.h"

namespace qed {
namespace {

constexpr double kTolerance = 4e-6;  // of the largest number of a tensor: float32 against float64

using Inputs = std::vector<at::Tensor>;
using Op = std::function<at::Tensor(const Inputs&)>;

// Runs both on leaves with the same numbers and the same gradient from above, and compares.
void expect_same(const Inputs& inputs, const Op& op, const Op& reference) {
  Inputs fast, exact;
  for (const at::Tensor& input : inputs) {
    fast.push_back(input.clone().set_requires_grad(true));
    exact.push_back(input.to(at::kDouble).set_requires_grad(true));
  }
  const at::Tensor y = op(fast), expected = reference(exact);
  EXPECT_EQ(y.scalar_type(), at::kFloat);
  EXPECT_TRUE(is_close(y, expected, kTolerance)) << "forward";

  const at::Tensor above = random_tensor(expected.sizes().vec(), 99);
  y.backward(above);
  expected.backward(above.to(at::kDouble));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ASSERT_TRUE(fast[i].grad().defined()) << "input " << i;
    EXPECT_TRUE(is_close(fast[i].grad(), exact[i].grad(), kTolerance)) << "gradient of input " << i;
  }
}

struct LinearShape {
  std::int64_t rows, n, k;
};

class LinearShapes : public testing::TestWithParam<LinearShape> {};

TEST_P(LinearShapes, LinearMatchesItsReference) {
  const auto [rows, n, k] = GetParam();
  const Inputs inputs = {random_tensor({rows, k}, 1), random_tensor({n, k}, 2),
                         random_tensor({n}, 3)};
  expect_same(
      inputs,
      [n = n](const Inputs& in) { return ops::linear(in[0], panels(in[1]), padded(in[2]), n); },
      [](const Inputs& in) { return reference::linear(in[0], in[1], in[2]); });
  expect_same(
      {inputs[0], inputs[1]},
      [n = n](const Inputs& in) { return ops::linear(in[0], panels(in[1]), {}, n); },
      [](const Inputs& in) { return reference::linear(in[0], in[1]); });
}

INSTANTIATE_TEST_SUITE_P(Ops, LinearShapes,
                         testing::Values(LinearShape{1, 1, 1}, LinearShape{1, 21, 64},
                                         LinearShape{3, 16, 7}, LinearShape{17, 50, 33},
                                         LinearShape{100, 33, 65}, LinearShape{25, 130, 96}));

TEST(Ops, EmbeddingMatchesItsReference) {
  for (const std::int64_t n : {1, 16, 37}) {
    const at::Tensor id = random_ids(50, 0, n - 1, 4);  // ids repeat: their gradients add up
    expect_same(
        {random_tensor({n, 19}, 5)},
        [&](const Inputs& in) { return ops::embedding(id, panels(in[0])); },
        [&](const Inputs& in) { return reference::embedding(id, in[0]); });
  }
}

TEST(Ops, SelectRowsMatchesItsReference) {
  for (const std::int64_t dim : {1, 16, 37}) {
    const at::Tensor row = random_ids(70, 0, 24, 4);  // rows repeat, and some are not taken
    expect_same(
        {random_tensor({25, dim}, 5)},
        [&](const Inputs& in) { return ops::select_rows(in[0], row); },
        [&](const Inputs& in) { return at::index_select(in[0], 0, row); });
  }
}

TEST(Ops, RmsNormMatchesItsReference) {
  for (const std::int64_t dim : {5, 15, 16, 64, 77}) {
    for (const std::int64_t rows : {1, 300}) {
      expect_same(
          {random_tensor({rows, dim}, 6), random_tensor({dim}, 7)},
          [](const Inputs& in) { return ops::rms_norm(in[0], in[1], 1e-6f); },
          [](const Inputs& in) { return reference::rms_norm(in[0], in[1], 1e-6f); });
    }
  }
}

TEST(Ops, SwigluMatchesItsReference) {
  for (const std::int64_t f : {1, 16, 45}) {
    for (const double scale : {1.0, 30.0}) {
      expect_same(
          {random_tensor({70, 2 * f}, 8, scale)},
          [](const Inputs& in) { return ops::swiglu(in[0]); },
          [](const Inputs& in) { return reference::swiglu(in[0]); });
    }
  }
}

// theta^(-2 i / dim) with theta 10,000.
std::vector<float> rope_frequencies(std::int64_t dim) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < dim / 2; ++i) {
    out.push_back(static_cast<float>(
        std::pow(1e4, -2.0 * static_cast<double>(i) / static_cast<double>(dim))));
  }
  return out;
}

TEST(Ops, HeadNormMatchesItsReference) {
  for (const std::int64_t dim : {2, 8, 24, 64}) {
    const std::int64_t heads = 4, kv_heads = 2, rows = 9;
    const Inputs inputs = {random_tensor({rows, (heads + 2 * kv_heads) * dim}, 20),
                           random_tensor({dim}, 21), random_tensor({dim}, 22)};
    const auto run = [&](const Inputs& in) {
      return ops::head_norm(in[0], in[1], in[2], heads, kv_heads, 1e-6f);
    };
    expect_same(inputs, run, [&](const Inputs& in) {
      return reference::head_norm(in[0], in[1], in[2], heads, kv_heads, 1e-6);
    });
    const at::Tensor with_gradient = run(inputs);
    const at::NoGradGuard no_grad;
    EXPECT_TRUE(same_bits(run({inputs[0].clone(), inputs[1], inputs[2]}), with_gradient));
    const at::Tensor row = inputs[0].narrow(0, 4, 1).clone();
    EXPECT_TRUE(same_bits(run({row, inputs[1], inputs[2]}), with_gradient.narrow(0, 4, 1)));
  }
}

TEST(Ops, RopeMatchesItsReference) {
  for (const std::int64_t dim : {2, 8, 24, 64}) {
    const std::int64_t heads = 3, rows = 11;
    ops::RopeTable table(rope_frequencies(dim));
    table.grow(40);
    const at::Tensor position = random_ids(rows, 0, 39, 9);
    const at::Tensor cos = at::index_select(table.cos(), 0, position).to(at::kDouble);
    const at::Tensor sin = at::index_select(table.sin(), 0, position).to(at::kDouble);
    expect_same(  // a fourth head is left as it is
        {random_tensor({rows, (heads + 1) * dim}, 10)},
        [&](const Inputs& in) { return ops::rope(in[0].clone(), position, table, heads); },
        [&](const Inputs& in) { return reference::rope(in[0], cos, sin, heads); });
  }
}

TEST(Ops, RopeTableHoldsTheAnglesOfTheFormula) {
  const std::int64_t positions = 300, dim = 16;
  ops::RopeTable table(rope_frequencies(dim));
  table.grow(7);
  const at::Tensor first = table.cos();
  table.grow(positions);
  EXPECT_TRUE(same_bits(first, table.cos().narrow(0, 0, first.size(0))));
  for (std::int64_t p = 0; p < positions; ++p) {
    for (std::int64_t i = 0; i < dim / 2; ++i) {
      const double angle =
          static_cast<double>(p) * std::pow(1e4, -2.0 * static_cast<double>(i) / dim);
      // Frequency and angle are rounded to float32.
      const double allowed = 1e-7 * (1 + angle);
      EXPECT_NEAR(table.cos().const_data_ptr<float>()[p * dim / 2 + i], std::cos(angle), allowed);
      EXPECT_NEAR(table.sin().const_data_ptr<float>()[p * dim / 2 + i], std::sin(angle), allowed);
    }
  }
}

TEST(Ops, ThreadsMayRotateWithOneTableThatGrows) {
  const std::int64_t dim = 16, rows = 20;
  const at::Tensor x = random_tensor({rows, dim}, 11), position = random_ids(rows, 0, 900, 12);
  ops::RopeTable grown(rope_frequencies(dim));
  grown.grow(901);
  const at::Tensor expected = ops::rope(x.clone(), position, grown, 1);
  for (int round = 0; round < 50; ++round) {
    ops::RopeTable table(rope_frequencies(dim));
    std::vector<at::Tensor> found(4);
    std::vector<std::thread> threads;
    for (at::Tensor& out : found) {
      threads.emplace_back([&] { out = ops::rope(x.clone(), position, table, 1); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const at::Tensor& out : found) ASSERT_TRUE(same_bits(out, expected)) << round;
  }
}

struct AttentionCase {
  ops::Heads heads;
  std::vector<std::int64_t> offset;
};

class AttentionShapes : public testing::TestWithParam<AttentionCase> {};

TEST_P(AttentionShapes, AttentionMatchesItsReference) {
  const auto& [heads, offset] = GetParam();
  expect_same(
      {random_tensor({offset.back(), heads.qkv_width()}, 11, 3)},
      [&](const Inputs& in) { return ops::attention(in[0], heads, offset); },
      [&](const Inputs& in) { return reference::attention(in[0], heads, offset); });
}

// Sequences of 1, 16, 17 and 40 rows: less than, equal to and more than one vector of keys.
INSTANTIATE_TEST_SUITE_P(Ops, AttentionShapes,
                         testing::Values(AttentionCase{{1, 1, 8}, {0, 1}},
                                         AttentionCase{{4, 2, 16}, {0, 1, 17, 34, 74}},
                                         AttentionCase{{4, 1, 24}, {0, 17, 18}},
                                         AttentionCase{{3, 3, 64}, {0, 40, 56}},
                                         AttentionCase{{6, 2, 10}, {0, 5, 33}}));

// What two sequences share stands before each of them in the reference: 21 rows, then 13 and 30;
// and 16, a whole page, then 1 and 17. Between the two lies a sequence that stands alone.
TEST(Ops, AttentionAfterASharedPrefixMatchesThatOfCopies) {
  const std::vector<std::int64_t> offset = {0, 21, 34, 64, 70, 86, 87, 104};
  const std::vector<std::int64_t> prefix = {-1, 0, 0, -1, -1, 4, 4};
  for (const ops::Heads heads : {ops::Heads{4, 2, 16}, ops::Heads{3, 3, 10}}) {
    expect_same(
        {random_tensor({offset.back(), heads.qkv_width()}, 12, 3)},
        [&](const Inputs& in) { return ops::attention(in[0], heads, offset, prefix); },
        [&](const Inputs& in) {
          std::vector<at::Tensor> out;
          for (std::size_t b = 0; b < prefix.size(); ++b) {
            const at::Tensor own = in[0].narrow(0, offset[b], offset[b + 1] - offset[b]);
            const std::size_t p = static_cast<std::size_t>(std::max<std::int64_t>(prefix[b], 0));
            const std::int64_t before = prefix[b] < 0 ? 0 : offset[p + 1] - offset[p];
            const at::Tensor whole = at::cat({in[0].narrow(0, offset[p], before), own}, 0);
            out.push_back(reference::attention(whole, heads, {0, whole.size(0)})
                              .narrow(0, before, own.size(0)));
          }
          return at::cat(out, 0);
        });
  }
}

// Rows of which some are truncated: row r keeps r % 4 * 3 ids around its target, 0 being all.
std::shared_ptr<ops::Support> some_support(const at::Tensor& target, std::int64_t vocab) {
  auto support = std::make_shared<ops::Support>();
  support->offset.push_back(0);
  for (std::int64_t r = 0; r < target.size(0); ++r) {
    std::vector<std::int32_t> ids;
    for (std::int64_t i = 0; i < r % 4 * 3; ++i) {
      ids.push_back(
          static_cast<std::int32_t>((target.const_data_ptr<std::int64_t>()[r] + i * 2) % vocab));
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    support->ids.insert(support->ids.end(), ids.begin(), ids.end());
    support->offset.push_back(static_cast<std::int64_t>(support->ids.size()));
  }
  return support;
}

struct LogpCase {
  std::int64_t rows, vocab, dim;
  bool is_truncated;
};

class LogpShapes : public testing::TestWithParam<LogpCase> {};

TEST_P(LogpShapes, TokenLogpMatchesItsReference) {
  const auto [rows, vocab, dim, is_truncated] = GetParam();
  const at::Tensor target = random_ids(rows, 0, vocab - 1, 12);
  const at::Tensor inv_temperature = random_tensor({rows}, 13, 0.5) + 1;
  const auto support =
      is_truncated ? some_support(target, vocab) : std::make_shared<ops::Support>();
  const Inputs inputs = {random_tensor({rows, dim}, 14), random_tensor({vocab, dim}, 15)};
  expect_same(
      inputs,
      [&, vocab = vocab](const Inputs& in) {
        return ops::token_logp(in[0], panels(in[1]), vocab, target, inv_temperature, support).logp;
      },
      [&](const Inputs& in) {
        return reference::token_logp(in[0], in[1], target, inv_temperature, *support).logp;
      });

  expect_same(
      inputs,
      [&, vocab = vocab](const Inputs& in) {
        return ops::token_logp(in[0], panels(in[1]), vocab, target, inv_temperature, support)
            .entropy;
      },
      [&](const Inputs& in) {
        return reference::token_logp(in[0], in[1], target, inv_temperature, *support).entropy;
      });
  const auto both = [](const ops::TokenLogp& out) { return out.logp + out.entropy * 0.5; };
  expect_same(
      inputs,
      [&, vocab = vocab](const Inputs& in) {
        return both(ops::token_logp(in[0], panels(in[1]), vocab, target, inv_temperature, support));
      },
      [&](const Inputs& in) {
        const auto out = reference::token_logp(in[0], in[1], target, inv_temperature, *support);
        return out.logp + out.entropy * 0.5;
      });
}

// 300 rows are more than one chunk of logits.
INSTANTIATE_TEST_SUITE_P(Ops, LogpShapes,
                         testing::Values(LogpCase{1, 2, 4, false}, LogpCase{1, 21, 64, false},
                                         LogpCase{40, 16, 7, true}, LogpCase{300, 37, 24, false},
                                         LogpCase{300, 53, 33, true}));

TEST(Ops, TokenLogpOfChangedLogitsMatchesItsReference) {
  const std::int64_t rows = 300, vocab = 37;
  const at::Tensor target = random_ids(rows, 0, vocab - 1, 23);
  const auto support = some_support(target, vocab);
  // Every third logit is halved, the others move down; a row in four stays as it is.
  const auto factor = [](std::size_t i) { return i % 3 == 0 ? 0.5f : 1.0f; };
  const auto shift = [](std::size_t i) { return 0.1f * static_cast<float>(i % 5); };
  support->change = [&](std::int64_t r, std::span<const float> logits, float* slope) {
    thread_local std::vector<float> row;
    if (r % 4 == 0) return logits;
    row.assign(logits.begin(), logits.end());
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = factor(i) * row[i] - shift(i);
      if (slope != nullptr) slope[i] *= factor(i);
    }
    return std::span<const float>(row);
  };
  at::Tensor scale = at::ones({rows, vocab}, at::kDouble), move = at::zeros_like(scale);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; r % 4 != 0 && i < vocab; ++i) {
      scale.data_ptr<double>()[r * vocab + i] = factor(static_cast<std::size_t>(i));
      move.data_ptr<double>()[r * vocab + i] = shift(static_cast<std::size_t>(i));
    }
  }
  expect_same(
      {random_tensor({rows, 24}, 24), random_tensor({vocab, 24}, 25)},
      [&](const Inputs& in) {
        const auto out =
            ops::token_logp(in[0], panels(in[1]), vocab, target, at::ones({rows}), support);
        return out.logp + out.entropy * 0.5;
      },
      [&](const Inputs& in) {
        const at::Tensor z = at::matmul(in[0], in[1].t()), identity = at::eye(vocab, at::kDouble);
        const auto changed =
            reference::token_logp(z * scale - move, identity, target, at::ones({rows}), *support);
        const auto plain = reference::token_logp(z, identity, target, at::ones({rows}), *support);
        return changed.logp + plain.entropy * 0.5;
      });
}

TEST(Ops, TokenLogpKeepsItsSupportUntilTheBackward) {
  const at::Tensor h = random_tensor({8, 5}, 16).set_requires_grad(true);
  const at::Tensor target = random_ids(8, 0, 19, 17);
  auto support = some_support(target, 20);
  const at::Tensor w = panels(random_tensor({20, 5}, 18));
  const at::Tensor logp =
      ops::token_logp(h, w, 20, target, at::ones({8}), std::exchange(support, nullptr)).logp;
  logp.sum().backward();
  // Row 1 keeps three of twenty ids, so its gradient is not that of the whole row.
  const at::Tensor whole = random_tensor({8, 5}, 16).set_requires_grad(true);
  ops::token_logp(whole, w, 20, target, at::ones({8}), std::make_shared<ops::Support>())
      .logp.sum()
      .backward();
  EXPECT_TRUE(same_bits(h.grad()[0], whole.grad()[0]));
  EXPECT_FALSE(is_close(h.grad()[1], whole.grad()[1], 1e-3));
}

TEST(Ops, LanesPastTheLastRowOfAWeightHaveNoGradient) {
  const at::Tensor w = panels(random_tensor({21, 9}, 19)).set_requires_grad(true);
  const at::Tensor bias = padded(random_tensor({21}, 20)).set_requires_grad(true);
  const at::Tensor x = random_tensor({30, 9}, 21);
  ops::linear(x, w, bias, 21).sum().backward();
  ops::token_logp(x, w, 21, random_ids(30, 0, 20, 22), at::ones({30}),
                  std::make_shared<ops::Support>())
      .logp.sum()
      .backward();
  const at::Tensor padding = w.grad()[1].narrow(1, 5, 11);
  EXPECT_EQ(at::abs(padding).sum().item<float>(), 0);
  EXPECT_EQ(at::abs(bias.grad().narrow(0, 21, 11)).sum().item<float>(), 0);
}

}  // namespace
}  // namespace qed
