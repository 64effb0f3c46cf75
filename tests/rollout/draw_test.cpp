// What a draw may give, how often, and with which log-prob.

#include "core/rollout/draw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/util/error.h"
#include "qed/abi.h"
#include "qed/philox.h"

namespace qed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kAll = 1000;  // a max_support that cuts nothing

SampleOp temperature(float t) { return {QED_OP_TEMPERATURE, t}; }
SampleOp top_k(float k) { return {QED_OP_TOP_K, k}; }
SampleOp top_p(float p) { return {QED_OP_TOP_P, p}; }

// The distribution that abi.h describes, in double, op by op.
std::vector<double> exact(const std::vector<float>& logits, const std::vector<SampleOp>& ops) {
  std::vector<double> z(logits.begin(), logits.end());
  std::vector<std::size_t> kept(z.size());
  std::iota(kept.begin(), kept.end(), 0);
  std::stable_sort(kept.begin(), kept.end(), [&](auto a, auto b) { return z[a] > z[b]; });
  const auto probs = [&] {
    std::vector<double> p(z.size(), 0);
    double sum = 0;
    for (const auto i : kept) sum += p[i] = std::exp(z[i] - z[kept.front()]);
    for (double& x : p) x /= sum;
    return p;
  };
  for (const SampleOp& op : ops) {
    if (op.op == QED_OP_TEMPERATURE) {
      for (double& x : z) x /= op.value;
    } else if (op.op == QED_OP_TOP_K) {
      kept.resize(std::min(kept.size(), static_cast<std::size_t>(op.value)));
    } else {
      const auto p = probs();
      double mass = 0;
      std::size_t count = 0;
      while (count < kept.size() && mass < op.value) mass += p[kept[count++]];
      kept.resize(count);
    }
  }
  return probs();
}

// The chance that a right sampler deviates at least so much: chi-square's upper tail, by Wilson and
// Hilferty's cube root.
double p_value(double chi_square, double freedom) {
  const double spread = 2 / (9 * freedom);
  const double z = (std::cbrt(chi_square / freedom) - (1 - spread)) / std::sqrt(spread);
  return 0.5 * std::erfc(z / std::sqrt(2.0));
}

// No logit beyond 2.5, so that 200,000 draws expect at least five of every token.
const std::vector<float> kLogits = {0.3f,  -1.2f, 2.5f, 0.0f,  1.1f,  -0.4f, 0.9f,
                                    -2.0f, 1.7f,  0.2f, -0.7f, -1.6f, 2.2f,  0.6f,
                                    -0.1f, 1.3f,  0.5f, -0.9f, -2.3f, 0.8f,  1.9f};

class Distribution : public testing::TestWithParam<std::vector<SampleOp>> {};

TEST_P(Distribution, OfManyDrawsIsTheExactOne) {
  const DrawPlan plan(GetParam(), kAll);
  const std::vector<double> expected = exact(kLogits, GetParam());
  constexpr int kDraws = 200'000;
  std::vector<double> count(kLogits.size());
  for (int i = 0; i < kDraws; ++i) {
    const auto draw = plan.draw(kLogits, KeyHash().add("draw").add(i / 50).value(), i % 50);
    ++count[draw.token];
    if (i < 2000) {
      ASSERT_GT(expected[draw.token], 0);
      ASSERT_NEAR(draw.logp, std::log(expected[draw.token]), 2e-6) << "token " << draw.token;
    }
  }
  double chi_square = 0, freedom = -1;
  for (std::size_t i = 0; i < count.size(); ++i) {
    if (expected[i] == 0) {
      EXPECT_EQ(count[i], 0) << "token " << i;
      continue;
    }
    const double mean = kDraws * expected[i];
    chi_square += (count[i] - mean) * (count[i] - mean) / mean;
    ++freedom;
  }
  EXPECT_GT(p_value(chi_square, freedom), 1e-3) << chi_square << " with " << freedom << " freedoms";
}

INSTANTIATE_TEST_SUITE_P(
    Draw, Distribution,
    testing::Values(std::vector<SampleOp>{}, std::vector{temperature(0.7f)},
                    std::vector{temperature(1.6f)}, std::vector{top_k(5)}, std::vector{top_p(0.8f)},
                    std::vector{temperature(0.7f), top_k(9), top_p(0.85f)},
                    std::vector{top_p(0.9f), top_k(6), temperature(1.3f)},
                    std::vector{top_p(0.8f), temperature(3.0f)},
                    std::vector{temperature(2.0f), top_k(12), temperature(0.8f), top_p(0.6f)}));

TEST(PValue, IsThatOfTheTables) {
  EXPECT_NEAR(p_value(31.41, 20), 0.05, 1e-3);
  EXPECT_NEAR(p_value(18.47, 4), 0.001, 2e-4);
}

TEST(DrawPlan, AllOfTheMassIsNoTruncation) {
  const std::vector<float> logits = {30, 0, -30, -60};

  EXPECT_THAT(DrawPlan({top_p(1)}, kAll).draw(logits, 1, 0).support, IsEmpty());
}

TEST(DrawPlan, LogitsThatAreNotFiniteAreRefused) {
  for (const float bad : {NAN, INFINITY}) {
    const std::vector<float> logits = {0, bad, 1};
    for (const double t : {0.0, 1.0}) {
      try {
        DrawPlan::at_temperature(t).draw(logits, 1, 0);
        FAIL() << "no exception";
      } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "the model's logits are not finite");
        EXPECT_EQ(
            error.hint(),
            "its weights have diverged: lower train.lr, and go back to an earlier checkpoint");
      }
    }
  }
}

TEST(DrawPlan, GreedyTakesTheFirstOfTheLargest) {
  const DrawPlan plan = DrawPlan::at_temperature(0);
  EXPECT_TRUE(plan.is_greedy());
  EXPECT_EQ(plan.inv_temperature(), 1);  // over one id: every log-prob is 0
  const std::vector<float> logits = {1, 5, 2, 5};
  for (std::uint64_t key = 0; key < 100; ++key) {
    const auto draw = plan.draw(logits, key, key);
    EXPECT_EQ(draw.token, 1);
    EXPECT_EQ(draw.logp, 0);
    EXPECT_THAT(draw.support, ElementsAre(1));
  }
  EXPECT_TRUE(DrawPlan({top_k(3), temperature(0), top_p(0.5f)}, kAll).is_greedy());
}

TEST(DrawPlan, TemperaturesMultiply) {
  EXPECT_EQ(DrawPlan({}, kAll).inv_temperature(), 1);
  EXPECT_EQ(DrawPlan({temperature(0.5f), temperature(4)}, kAll).inv_temperature(), 0.5f);
}

TEST(DrawPlan, SameKeyAndPositionGiveTheSameDraw) {
  const DrawPlan plan({temperature(0.7f), top_p(0.9f)}, kAll);
  int num_same = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto a = plan.draw(kLogits, 7, i), b = plan.draw(kLogits, 7, i);
    EXPECT_EQ(a.token, b.token);
    EXPECT_EQ(a.logp, b.logp);
    num_same += a.token == plan.draw(kLogits, 8, i).token ? 1 : 0;
  }
  EXPECT_LT(num_same, 300);  // another key is another stream
}

TEST(DrawPlan, SupportHoldsTheKeptIdsInAscendingOrder) {
  const std::vector<float> logits = {0, 3, 1, 2, -1};
  EXPECT_THAT(DrawPlan({top_k(3)}, kAll).draw(logits, 1, 1).support, ElementsAre(1, 2, 3));
  EXPECT_THAT(DrawPlan({top_k(1)}, kAll).draw(logits, 1, 1).support, ElementsAre(1));
  // Softmax of 3, 2, 1, 0, -1: 0.636, 0.234, 0.086, 0.032, 0.012.
  EXPECT_THAT(DrawPlan({top_p(0.6f)}, kAll).draw(logits, 1, 1).support, ElementsAre(1));
  EXPECT_THAT(DrawPlan({top_p(0.65f)}, kAll).draw(logits, 1, 1).support, ElementsAre(1, 3));
  EXPECT_THAT(DrawPlan({top_p(0)}, kAll).draw(logits, 1, 1).support, ElementsAre(1));
}

TEST(DrawPlan, SupportIsEmptyWhereNothingWasCut) {
  EXPECT_THAT(DrawPlan({}, kAll).draw(kLogits, 1, 1).support, IsEmpty());
  EXPECT_THAT(DrawPlan({top_k(21)}, kAll).draw(kLogits, 1, 1).support, IsEmpty());
  EXPECT_THAT(DrawPlan({top_k(5000)}, kAll).draw(kLogits, 1, 1).support, IsEmpty());
}

TEST(DrawPlan, OfEqualLogitsTheLowerIdsAreKept) {
  const std::vector<float> logits = {1, 2, 1, 2, 2, 1};
  EXPECT_THAT(DrawPlan({top_k(2)}, kAll).draw(logits, 1, 1).support, ElementsAre(1, 3));
  EXPECT_THAT(DrawPlan({top_k(4)}, kAll).draw(logits, 1, 1).support, ElementsAre(0, 1, 3, 4));
}

TEST(DrawPlan, MaxSupportKeepsTheMostLikelyIdsAndTheirDistribution) {
  const std::vector<float> logits = {0, 3, 1, 2, -1};
  const DrawPlan plan({top_k(4)}, 2);
  const std::vector<double> expected = exact(logits, {top_k(2)});
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto draw = plan.draw(logits, i, 0);
    EXPECT_THAT(draw.support, ElementsAre(1, 3));
    EXPECT_NEAR(draw.logp, std::log(expected[draw.token]), 1e-6);
  }
  // Where nothing is truncated there is nothing to keep.
  EXPECT_THAT(DrawPlan({temperature(0.5f)}, 2).draw(logits, 1, 1).support, IsEmpty());
}

TEST(DrawPlan, ATokenWithAllTheMassIsAlwaysDrawn) {
  std::vector<float> logits(300, -500.0f);
  logits[123] = 500;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto draw = DrawPlan({}, kAll).draw(logits, i, 3);
    ASSERT_EQ(draw.token, 123);
    ASSERT_EQ(draw.logp, 0);
  }
}

}  // namespace
}  // namespace qed
