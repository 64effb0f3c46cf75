#include "core/host/algorithm.h"
#include "tests/host/host_fixture.h"

#include <gmock/gmock.h>

#include <cmath>

namespace qed {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;

class Algorithms : public testing::Test {
 protected:
  std::vector<float> advantage(const std::string& name, const TestBatch& batch) {
    const Algorithm algorithm(host_.load("algorithm", name), options(name), host_.abi());
    TestAdvantage out(batch);
    auto abi = out.abi();
    algorithm.advantage(batch.abi(), abi);
    EXPECT_THAT(out.keep, Each(1));
    return out.adv;
  }

  static std::string options(const std::string& name) {
    return name == "grpo" ? R"({"clip_high":0.28,"clip_low":0.2,"eps":1e-06})"
                          : R"({"clip_high":0.28,"clip_low":0.2})";
  }

  PluginHost host_{{product_plugins()}};
};

// ---- grpo ----

TEST_F(Algorithms, GrpoNormalisesByGroupMeanAndUnbiasedStd) {
  TestBatch batch;
  for (const float r : {1, 0, 0, 1}) batch.add(0, r, 1);  // mean 1/2, std sqrt(1/3)
  for (const float r : {3, 1}) batch.add(7, r, 2);        // mean 2, std sqrt(2)
  const float a = static_cast<float>(0.5 / (std::sqrt(1.0 / 3) + 1e-6));
  const float b = static_cast<float>(1 / (std::sqrt(2.0) + 1e-6));
  EXPECT_THAT(advantage("grpo", batch), ElementsAre(a, -a, -a, a, b, b, -b, -b));
}

TEST_F(Algorithms, GrpoGivesExactlyZeroWhereAllRewardsAreEqual) {
  TestBatch batch;
  for (int i = 0; i < 16; ++i) batch.add(0, 0.1f, 3);  // 0.1 is no binary fraction
  batch.add(1, 5, 2);                                  // a group of one
  EXPECT_THAT(advantage("grpo", batch), Each(0.0f));
}

TEST_F(Algorithms, GrpoLeavesOutInvalidSequences) {
  TestBatch batch, without;
  for (const float r : {1, 0, 0}) without.add(0, r, 1);
  batch.add(0, 1, 1);
  batch.add(0, 0, 1, false);
  batch.add(0, 0, 1);
  batch.add(0, 0, 1);
  const auto expected = advantage("grpo", without);
  EXPECT_THAT(advantage("grpo", batch), ElementsAre(expected[0], 0, expected[1], expected[2]));
}

// ---- reinforce_pp ----

TEST_F(Algorithms, ReinforcePpWhitensOverTokens) {
  TestBatch batch;
  batch.add(0, 1, 1);
  batch.add(1, 0, 3);  // over four tokens: mean 1/4, variance (9/16 + 3/16) / 3 = 1/4
  const float root = static_cast<float>(std::sqrt(0.25 + 1e-8));
  EXPECT_THAT(advantage("reinforce_pp", batch),
              ElementsAre(FloatEq(0.75f / root), FloatEq(-0.25f / root), FloatEq(-0.25f / root),
                          FloatEq(-0.25f / root)));
}

TEST_F(Algorithms, ReinforcePpGivesExactlyZeroWhereAllRewardsAreEqual) {
  TestBatch batch;
  for (std::uint64_t g = 0; g < 9; ++g) batch.add(g, 0.1f, 1 + g % 3);
  EXPECT_THAT(advantage("reinforce_pp", batch), Each(0.0f));
}

TEST_F(Algorithms, ReinforcePpLeavesOutInvalidSequences) {
  TestBatch batch;
  batch.add(0, 1, 1);
  batch.add(0, 0, 5, false);
  batch.add(1, 0, 1);
  const auto adv = advantage("reinforce_pp", batch);
  EXPECT_FLOAT_EQ(adv.front(), -adv.back());
  for (std::size_t t = 1; t < 6; ++t) EXPECT_EQ(adv[t], 0.0f);
}

// ---- both ----

TEST_F(Algorithms, TokensOfTheEnvironmentChangeNothing) {
  for (const std::string name : {"grpo", "reinforce_pp"}) {
    TestBatch plain, with;
    for (const float r : {1.0f, 0.25f, 0.0f}) plain.add(0, r, 2), with.add(0, r, 5);
    for (std::size_t t = 0; t < with.mask.size(); ++t) with.mask[t] = t % 5 == 1 || t % 5 == 3;
    const auto expected = advantage(name, plain), got = advantage(name, with);
    for (std::size_t b = 0; b < 3; ++b) {
      EXPECT_EQ(got[5 * b + 1], expected[2 * b]) << name;
      EXPECT_EQ(got[5 * b + 3], expected[2 * b + 1]) << name;
      EXPECT_EQ(got[5 * b], 0.0f);
      EXPECT_EQ(got[5 * b + 4], 0.0f);
    }
  }
}

TEST_F(Algorithms, BatchesWithoutTokensOrSequencesAreFine) {
  TestBatch none, empty;
  empty.add(0, 1, 0);
  empty.add(0, 0, 0);
  for (const std::string name : {"grpo", "reinforce_pp"}) {
    EXPECT_TRUE(advantage(name, none).empty());
    EXPECT_TRUE(advantage(name, empty).empty());
  }
}

TEST_F(Algorithms, TheLossIsClippedOnBothSidesOnlyWhereThatLimitsAGain) {
  TestBatch batch;
  batch.add(0, 0, 6);
  batch.old_logp.assign(6, -2);
  for (const std::string name : {"grpo", "reinforce_pp"}) {
    const Algorithm algorithm(host_.load("algorithm", name), options(name), host_.abi());
    TestLoss args(batch);
    const double ratio[] = {1.5, 1.5, 0.5, 0.5, 1.25, 1.5};  // bounds: 0.8 and 1.28
    const float adv[] = {1, -1, 1, -1, 2, 3};
    for (std::size_t t = 0; t < 6; ++t) {
      args.logp[t] = static_cast<float>(-2 + std::log(ratio[t]));
      args.adv[t] = adv[t];
      args.weight[t] = 0.5f;
    }
    args.weight[5] = 0;  // not trained on
    auto abi = args.abi();
    MetricSums metrics;
    algorithm.loss(abi, metrics);
    EXPECT_NEAR(abi.loss, 0.5 * (-1.28 + 1.5 - 0.5 + 0.8 - 2.5), 1e-6);
    EXPECT_THAT(args.grad, ElementsAre(0, FloatNear(0.75f, 1e-6f), FloatNear(-0.25f, 1e-6f), 0,
                                       FloatNear(-1.25f, 1e-6f), 0));
    EXPECT_EQ(metrics["actor/pg_clipfrac"], std::pair(2.0, 5.0));
    EXPECT_EQ(metrics["actor/ppo_kl"].second, 5.0);
    EXPECT_NEAR(metrics["actor/ppo_kl"].first,
                -(2 * std::log(1.5) + 2 * std::log(0.5) + std::log(1.25)), 1e-6);
  }
}

}  // namespace
}  // namespace qed
