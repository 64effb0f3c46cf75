// Log-probs, entropies and the gradient in the logits: the GPU's bodies, run on the CPU, against
// the CPU's op, whose hidden states are the rows of an identity here: then its logits are given
// numbers, and the gradient of its weights is theirs.

#include "core/cuda/kernels/token_logp.h"

#include "core/ops/gemm.h"
#include "core/ops/token_logp.h"
#include "tests/cuda/host_block.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace qed::cuda {
namespace {

// Log-probs of up to 20: a unit in the last place is 2e-6. Gradients are below 1.
constexpr double kTolerance = 4e-6;
constexpr double kTolerance152k = 1e-5;  // the CPU's entropy of so many ids is 5e-6 off

struct Case {
  std::int64_t rows, vocab;
  std::vector<float> logits, inv_temperature, dlogp, dentropy;
  std::vector<std::int32_t> target, support_first, support;

  Case(std::int64_t num_rows, std::int64_t num_ids, unsigned seed)
      : rows(num_rows),
        vocab(num_ids),
        logits(random_floats(static_cast<std::size_t>(num_rows * num_ids), seed, 3)),
        dlogp(random_floats(static_cast<std::size_t>(num_rows), seed + 1)),
        dentropy(random_floats(static_cast<std::size_t>(num_rows), seed + 2, 0.1f)) {
    for (std::int64_t r = 0; r < num_rows; ++r) {
      inv_temperature.push_back(r % 3 == 0 ? 1.0f : 0.5f + 0.3f * static_cast<float>(r));
      target.push_back(static_cast<std::int32_t>((7 + 131 * r) % num_ids));
    }
  }

  // Every third row keeps its target and each `step`th id.
  void truncate(std::int32_t step) {
    support_first = {0};
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int32_t kept = target[static_cast<std::size_t>(r)];
      for (std::int32_t id = 0; r % 3 == 1 && id < vocab; ++id) {
        if (id == kept || id % step == 3) support.push_back(id);
      }
      support_first.push_back(static_cast<std::int32_t>(support.size()));
    }
  }

  TokenLogpArgs args(float* logp, float* entropy) const {
    return {.rows = rows,
            .vocab = vocab,
            .logits = logits.data(),
            .target = target.data(),
            .inv_temperature = inv_temperature.data(),
            .support_first = support_first.empty() ? nullptr : support_first.data(),
            .support = support.data(),
            .logp = logp,
            .entropy = entropy};
  }
};

struct Result {
  std::vector<float> logp, entropy, dlogits;
};

std::vector<float> to_vector(const at::Tensor& t) {
  const float* from = t.const_data_ptr<float>();
  return {from, from + t.numel()};
}

template <class T>
at::Tensor to_tensor(const std::vector<T>& x, at::ScalarType type) {
  at::Tensor t = at::empty({std::ssize(x)}, type);
  for (std::int64_t i = 0; i < std::ssize(x); ++i) t[i] = x[static_cast<std::size_t>(i)];
  return t;
}

Result run_on_cpu(const Case& c, bool has_dentropy) {
  std::vector<float> turned(c.logits.size());  // [vocab, rows], the weights
  for (std::int64_t r = 0; r < c.rows; ++r) {
    for (std::int64_t i = 0; i < c.vocab; ++i) {
      turned[static_cast<std::size_t>(i * c.rows + r)] =
          c.logits[static_cast<std::size_t>(r * c.vocab + i)];
    }
  }
  at::Tensor w = at::zeros({ops::num_panels(c.vocab), c.rows, ops::kLanes});
  ops::to_panels(turned.data(), c.vocab, c.rows, w.data_ptr<float>(), 0);
  w.set_requires_grad(true);
  const auto support = std::make_shared<ops::Support>();
  support->offset.assign(c.support_first.begin(), c.support_first.end());
  support->ids = c.support;
  const ops::TokenLogp out =
      ops::token_logp(at::eye(c.rows), w, c.vocab, to_tensor(c.target, at::kLong),
                      to_tensor(c.inv_temperature, at::kFloat), support);
  out.logp.backward(to_tensor(c.dlogp, at::kFloat), /*retain_graph=*/true);
  if (has_dentropy) out.entropy.backward(to_tensor(c.dentropy, at::kFloat));

  ops::from_panels(w.grad().const_data_ptr<float>(), 0, c.vocab, c.rows, turned.data());
  Result result{to_vector(out.logp.detach()), to_vector(out.entropy.detach()), c.logits};
  for (std::int64_t r = 0; r < c.rows; ++r) {
    for (std::int64_t i = 0; i < c.vocab; ++i) {
      result.dlogits[static_cast<std::size_t>(r * c.vocab + i)] =
          turned[static_cast<std::size_t>(i * c.rows + r)];
    }
  }
  return result;
}

template <class T>
Result run_on_gpu(const Case& c, bool has_dentropy) {
  const auto rows = static_cast<std::size_t>(c.rows);
  Result result{std::vector<float>(rows), std::vector<float>(rows), {}};
  run_blocks(TokenLogpBody{c.args(result.logp.data(), result.entropy.data())}, c.rows);
  std::vector<T> dlogits(c.logits.size());
  run_blocks(TokenLogpBackwardBody<T>{{.forward = c.args(nullptr, nullptr),
                                       .dlogp = c.dlogp.data(),
                                       .dentropy = has_dentropy ? c.dentropy.data() : nullptr,
                                       .dtype = 0,
                                       .reserved = 0,
                                       .dlogits = dlogits.data()}},
             c.rows);
  for (const T& x : dlogits) result.dlogits.push_back(to_float(x));
  return result;
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << i;
}

void expect_the_cpus(const Case& c, bool has_dentropy, double tolerance = kTolerance) {
  const Result cpu = run_on_cpu(c, has_dentropy), gpu = run_on_gpu<float>(c, has_dentropy);
  expect_near(gpu.logp, cpu.logp, tolerance);
  expect_near(gpu.entropy, cpu.entropy, tolerance);
  expect_near(gpu.dlogits, cpu.dlogits, tolerance);
}

TEST(TokenLogp, IsTheCpusForEveryVocabulary) {
  for (const std::int64_t vocab : {1, 13, 256, 2047, 2048, 2049, 5000}) {
    expect_the_cpus(Case(4, vocab, 1), true);
    expect_the_cpus(Case(4, vocab, 1), false);
  }
  expect_the_cpus(Case(1, 151'936, 2), true, kTolerance152k);
}

TEST(TokenLogp, OverTheIdsThatWereKeptIsTheCpus) {
  for (const std::int32_t step : {5, 100, 5000}) {
    Case c(5, 3000, 3);
    c.truncate(step);
    expect_the_cpus(c, true);
    expect_the_cpus(c, false);
  }
}

TEST(TokenLogp, OfACertainTokenAndOfAHopelessOneIsTheCpus) {
  Case c(2, 400, 4);
  c.logits[static_cast<std::size_t>(c.target[0])] = 90;
  c.logits[400 + static_cast<std::size_t>(c.target[1])] = -2000;
  expect_the_cpus(c, true);
  const Result gpu = run_on_gpu<float>(c, true);
  EXPECT_EQ(gpu.logp[0], 0);
  EXPECT_LT(gpu.logp[1], -1000);
  EXPECT_NEAR(gpu.entropy[0], 0, 1e-30);
}

TEST(TokenLogp, OfLogitsThatAreNotFiniteIsNotANumber) {
  Case c(1, 400, 5);
  c.logits[100] = NAN;
  EXPECT_TRUE(std::isnan(run_on_gpu<float>(c, false).logp[0]));
  c.logits[100] = INFINITY;
  EXPECT_TRUE(std::isnan(run_on_gpu<float>(c, false).logp[0]));
}

TEST(TokenLogp, MayWriteItsGradientOverTheLogits) {
  Case c(5, 3000, 6);
  c.truncate(100);
  const Result apart = run_on_gpu<float>(c, true);
  run_blocks(TokenLogpBackwardBody<float>{{.forward = c.args(nullptr, nullptr),
                                           .dlogp = c.dlogp.data(),
                                           .dentropy = c.dentropy.data(),
                                           .dtype = 0,
                                           .reserved = 0,
                                           .dlogits = c.logits.data()}},
             c.rows);
  EXPECT_EQ(c.logits, apart.dlogits);
}

TEST(TokenLogp, GivesAGradientInBfloat16) {
  Case c(5, 700, 7);
  c.truncate(30);
  const Result wide = run_on_gpu<float>(c, true), narrow = run_on_gpu<Bfloat16>(c, true);
  EXPECT_EQ(narrow.dlogits, widened(rounded(wide.dlogits)));
}

TEST(TokenLogp, OfARowDependsOnThatRowAlone) {
  Case c(4, 3000, 8);
  c.truncate(10);
  const Result all = run_on_gpu<float>(c, true);
  const std::int32_t begin = c.support_first[1], end = c.support_first[2];
  Case row(1, 3000, 9);
  row.logits.assign(c.logits.begin() + 3000, c.logits.begin() + 6000);
  row.inv_temperature = {c.inv_temperature[1]};
  row.dlogp = {c.dlogp[1]}, row.dentropy = {c.dentropy[1]}, row.target = {c.target[1]};
  row.support.assign(c.support.begin() + begin, c.support.begin() + end);
  row.support_first = {0, end - begin};
  const Result alone = run_on_gpu<float>(row, true);
  EXPECT_EQ(alone.logp[0], all.logp[1]);
  EXPECT_EQ(alone.entropy[0], all.entropy[1]);
  EXPECT_TRUE(std::ranges::equal(alone.dlogits, std::span(all.dlogits).subspan(3000, 3000)));
}

}  // namespace
}  // namespace qed::cuda
