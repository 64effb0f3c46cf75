// What a draw may give, and with which log-prob.

#include "core/rollout/draw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <utility>

#include "core/util/error.h"
#include "tests/rollout/draw_fixture.h"

namespace qed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<float> kLogits = {0.3f,  -1.2f, 2.5f, 0.0f,  1.1f,  -0.4f, 0.9f,
                                    -2.0f, 1.7f,  0.2f, -0.7f, -1.6f, 2.2f,  0.6f,
                                    -0.1f, 1.3f,  0.5f, -0.9f, -2.3f, 0.8f,  1.9f};

TEST(DrawPlan, AllOfTheMassIsNoTruncation) {
  const std::vector<float> logits = {30, 0, -30, -60};

  EXPECT_THAT(draw(DrawPlan({top_p(1)}, kAll), logits, 1, 0).support, IsEmpty());
}

TEST(DrawPlan, LogitsThatAreNotFiniteAreRefused) {
  for (const float bad : {NAN, INFINITY}) {
    const std::vector<float> logits = {0, bad, 1};
    for (const double t : {0.0, 1.0}) {
      try {
        draw(DrawPlan::at_temperature(t), logits, 1, 0);
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
    const auto drawn = draw(plan, logits, key, key);
    EXPECT_EQ(drawn.token, 1);
    EXPECT_EQ(drawn.behavior_logp, 0);
    EXPECT_THAT(drawn.support, ElementsAre(1));
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
    const auto a = draw(plan, kLogits, 7, i), b = draw(plan, kLogits, 7, i);
    EXPECT_EQ(a.token, b.token);
    EXPECT_EQ(a.behavior_logp, b.behavior_logp);
    num_same += a.token == draw(plan, kLogits, 8, i).token ? 1 : 0;
  }
  EXPECT_LT(num_same, 300);  // another key is another stream
}

TEST(DrawPlan, SupportHoldsTheKeptIdsInAscendingOrder) {
  const std::vector<float> logits = {0, 3, 1, 2, -1};
  EXPECT_THAT(draw(DrawPlan({top_k(3)}, kAll), logits, 1, 1).support, ElementsAre(1, 2, 3));
  EXPECT_THAT(draw(DrawPlan({top_k(1)}, kAll), logits, 1, 1).support, ElementsAre(1));
  // Softmax of 3, 2, 1, 0, -1: 0.636, 0.234, 0.086, 0.032, 0.012.
  EXPECT_THAT(draw(DrawPlan({top_p(0.6f)}, kAll), logits, 1, 1).support, ElementsAre(1));
  EXPECT_THAT(draw(DrawPlan({top_p(0.65f)}, kAll), logits, 1, 1).support, ElementsAre(1, 3));
  EXPECT_THAT(draw(DrawPlan({top_p(0)}, kAll), logits, 1, 1).support, ElementsAre(1));
}

TEST(DrawPlan, SupportIsEmptyWhereNothingWasCut) {
  EXPECT_THAT(draw(DrawPlan({}, kAll), kLogits, 1, 1).support, IsEmpty());
  EXPECT_THAT(draw(DrawPlan({top_k(21)}, kAll), kLogits, 1, 1).support, IsEmpty());
  EXPECT_THAT(draw(DrawPlan({top_k(5000)}, kAll), kLogits, 1, 1).support, IsEmpty());
}

TEST(DrawPlan, OfEqualLogitsTheLowerIdsAreKept) {
  const std::vector<float> logits = {1, 2, 1, 2, 2, 1};
  EXPECT_THAT(draw(DrawPlan({top_k(2)}, kAll), logits, 1, 1).support, ElementsAre(1, 3));
  EXPECT_THAT(draw(DrawPlan({top_k(4)}, kAll), logits, 1, 1).support, ElementsAre(0, 1, 3, 4));
}

TEST(DrawPlan, MaxSupportKeepsTheMostLikelyIdsAndTheirDistribution) {
  const std::vector<float> logits = {0, 3, 1, 2, -1};
  const DrawPlan plan({top_k(4)}, 2);
  const std::vector<double> expected = exact({.logits = logits}, {top_k(2)});
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto drawn = draw(plan, logits, i, 0);
    EXPECT_THAT(drawn.support, ElementsAre(1, 3));
    EXPECT_NEAR(drawn.behavior_logp, std::log(expected[drawn.token]), 1e-6);
  }
  // Where nothing is truncated there is nothing to keep.
  EXPECT_THAT(draw(DrawPlan({temperature(0.5f)}, 2), logits, 1, 1).support, IsEmpty());
}

TEST(DrawPlan, ATokenWithAllTheMassIsAlwaysDrawn) {
  std::vector<float> logits(300, -500.0f);
  logits[123] = 500;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto drawn = draw(DrawPlan({}, kAll), logits, i, 3);
    ASSERT_EQ(drawn.token, 123);
    ASSERT_EQ(drawn.behavior_logp, 0);
  }
}

TEST(DrawPlan, PenaltiesBiasAndBansApplyInTheirOrder) {
  const std::vector<float> logits = {2, -2, 1, 0};
  const std::vector<std::int32_t> prompt = {0, 1}, completion = {2, 2, 0};
  const DrawInput in{.logits = logits, .prompt = prompt, .completion = completion};
  const auto logp_of = [&](std::vector<SampleOp> ops, std::vector<float> changed) {
    DrawScratch scratch;
    const DrawPlan plan(std::move(ops), kAll);
    EXPECT_TRUE(plan.changes_logits());
    const auto drawn = plan.draw(in, 1, 3, scratch);
    const auto expected = exact({.logits = changed}, {});
    EXPECT_NEAR(drawn.behavior_logp, std::log(expected[drawn.token]), 1e-6);
    EXPECT_NEAR(drawn.logp, std::log(exact({.logits = logits}, {})[drawn.token]), 1e-6)
        << "the logits as they came";
  };
  logp_of({{QED_OP_REPETITION, 2}}, {1, -4, 0.5f, 0});
  logp_of({{QED_OP_PRESENCE, 0.5f}}, {1.5f, -2, 0.5f, 0});
  logp_of({{QED_OP_FREQUENCY, 0.5f}}, {1.5f, -2, 0, 0});
  logp_of({{QED_OP_LOGIT_BIAS, 0, {3, 1, 3}, {1, 2, 0.5f}}}, {2, 0, 1, 1.5f});
  logp_of({temperature(0.5f), {QED_OP_PRESENCE, 1}}, {3, -4, 1, 0});
  logp_of({{QED_OP_PRESENCE, 1}, temperature(0.5f)}, {2, -4, 0, 0});
}

TEST(DrawPlan, ChangedLogitsComeWithTheirDerivatives) {
  const std::vector<std::int32_t> prompt = {0, 1}, completion = {2, 2, 0};
  const DrawPlan plan({{QED_OP_REPETITION, 1.5f},
                       temperature(0.5f),
                       {QED_OP_FREQUENCY, 0.25f},
                       {QED_OP_LOGIT_BIAS, 0, {3, 1}, {1, 2}},
                       {QED_OP_BAN, 0, {4}},
                       top_k(2)},
                      kAll);
  const auto changed = [&](const std::vector<float>& logits, float* slope) {
    DrawScratch scratch;
    const auto row = plan.changed_logits(
        {.logits = logits, .prompt = prompt, .completion = completion}, scratch, slope);
    return std::vector<float>(row.begin(), row.end());
  };
  const std::vector<float> logits = {2, -2, 1, 0.5f, 3};
  std::vector<float> slope(5, 1);
  const std::vector<float> at = changed(logits, slope.data());
  EXPECT_EQ(at, changed(logits, nullptr));
  for (std::size_t i = 0; i < 4; ++i) {
    std::vector<float> moved = logits;
    moved[i] += 0.25f;
    EXPECT_NEAR((changed(moved, nullptr)[i] - at[i]) / 0.25f, slope[i], 1e-5) << i;
  }
  EXPECT_EQ(slope[4], 0);
  // Where no op changes logits they are the model's.
  DrawScratch scratch;
  const DrawInput in{.logits = logits};
  EXPECT_EQ(DrawPlan({top_k(2)}, kAll).changed_logits(in, scratch).data(), logits.data());
}

TEST(DrawPlan, BannedTokensAreNeverDrawn) {
  std::vector<float> logits(2000, 0.0f);
  logits[7] = 100;
  std::vector<std::int32_t> others(1999);
  std::iota(others.begin(), others.end(), 0);
  std::erase(others, 1500);
  others.push_back(1999);
  const DrawPlan plan({{QED_OP_BAN, 0, others}}, kAll);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(draw(plan, logits, i, 0).token, 1500);
  const std::vector<std::int32_t> now = {7};
  const DrawInput in{.logits = logits, .banned = now};
  EXPECT_EQ(draw(DrawPlan({}, kAll), logits, 3, 0).token, 7);
  EXPECT_NE(draw(DrawPlan({}, kAll), in, 3, 0).token, 7);
  EXPECT_NE(draw(DrawPlan::at_temperature(0), in, 3, 0).token, 7);
}

TEST(DrawPlan, AMaskIsATruncation) {
  const std::vector<float> logits = {3, 2, 1, 0, 5, 4, -1, -2, 9, 8};
  const std::vector<std::uint8_t> some = {0b00010110, 0b10}, all = {0xff, 0xff};
  const DrawInput in{.logits = logits, .allowed = some};
  EXPECT_THAT(draw(DrawPlan({}, kAll), in, 1, 0).support, ElementsAre(1, 2, 4, 9));
  EXPECT_THAT(draw(DrawPlan({top_k(2)}, kAll), in, 1, 0).support, ElementsAre(4, 9));
  EXPECT_THAT(draw(DrawPlan({}, 3), in, 1, 0).support, ElementsAre(1, 4, 9));
  EXPECT_EQ(draw(DrawPlan::at_temperature(0), in, 1, 0).token, 9);
  EXPECT_THAT(draw(DrawPlan({}, kAll), DrawInput{.logits = logits, .allowed = all}, 1, 0).support,
              IsEmpty());
}

TEST(DrawPlan, ThatLeavesNoTokenIsRefused) {
  const std::vector<float> logits = {1, 2, 3};
  const std::vector<std::uint8_t> third = {0b100};
  const DrawPlan bans({{QED_OP_BAN, 0, {2}}}, kAll), bans_all({{QED_OP_BAN, 0, {0, 1, 2}}}, kAll);
  for (const auto& [plan, in] :
       {std::pair{bans, DrawInput{.logits = logits, .allowed = third}}, {bans_all, {logits}}}) {
    const Failure f = failure_of([&] { draw(plan, in, 1, 0); });
    EXPECT_EQ(f.message, "the sampler leaves no token to be drawn");
    EXPECT_EQ(f.hint, "ban fewer tokens, or let its mask allow one that is not banned");
  }
}

TEST(DrawPlan, ATemperatureThatOverflowsIsRefused) {
  const Failure f = failure_of([] { draw(DrawPlan({temperature(1e-39f)}, kAll), kLogits, 1, 0); });
  EXPECT_EQ(f.message, "the sampler's ops give logits that are not finite");
  EXPECT_EQ(f.hint, "raise the temperature, or lower penalties and biases");
}

}  // namespace
}  // namespace qed
