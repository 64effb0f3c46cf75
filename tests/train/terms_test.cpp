// Weights, KL estimates and corrections, number by number.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/train/aggregation.h"
#include "core/train/kl.h"
#include "core/train/mismatch.h"
#include "core/util/error.h"

namespace qed {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Pointwise;

// ---- aggregation ----

TEST(Aggregation, EachModeDividesByWhatItsNameSays) {
  const std::vector<double> n = {2, 6};
  EXPECT_THAT(sequence_weights("token-mean", 0, n), ElementsAre(1.0 / 8, 1.0 / 8));
  EXPECT_THAT(sequence_weights("seq-mean-token-mean", 0, n), ElementsAre(1.0 / 4, 1.0 / 12));
  EXPECT_THAT(sequence_weights("seq-mean-token-sum", 0, n), ElementsAre(0.5, 0.5));
  EXPECT_THAT(sequence_weights("constant", 10, n), ElementsAre(1.0 / 20, 1.0 / 20));
}

TEST(Aggregation, ASequenceWithoutTokensWeighsNothing) {
  EXPECT_THAT(sequence_weights("seq-mean-token-mean", 0, std::vector<double>{0, 4}),
              ElementsAre(0, 1.0 / 8));
  EXPECT_THAT(sequence_weights("token-mean", 0, std::vector<double>{}), ElementsAre());
}

// ---- KL ----

TEST(Kl, EstimatesHaveTheirValueAndTheSlopeOfIt) {
  for (const char* name : {"k1", "k2", "k3"}) {
    const KlEstimator estimator = kl_estimator(name);
    for (const double d : {-1.5, -0.1, 0.0, 0.3, 2.0}) {
      const double step = 1e-6, ref = -2;
      const auto at = [&](double logp) { return kl_estimate(estimator, logp, ref).value; };
      EXPECT_NEAR(kl_estimate(estimator, ref + d, ref).slope,
                  (at(ref + d + step) - at(ref + d - step)) / (2 * step), 1e-6)
          << name << " " << d;
    }
  }
  EXPECT_DOUBLE_EQ(kl_estimate(KlEstimator::kK1, -1, -1.5).value, 0.5);
  EXPECT_DOUBLE_EQ(kl_estimate(KlEstimator::kK2, -1, -1.5).value, 0.125);
  EXPECT_DOUBLE_EQ(kl_estimate(KlEstimator::kK3, -1, -1.5).value, std::exp(-0.5) - 0.5);
}

TEST(Kl, K3PlusHasTheValueOfK3AndTheSlopeOfK2) {
  const KlValue plus = kl_estimate(kl_estimator("k3+"), -1, -1.7);
  EXPECT_EQ(plus.value, kl_estimate(KlEstimator::kK3, -1, -1.7).value);
  EXPECT_EQ(plus.slope, kl_estimate(KlEstimator::kK2, -1, -1.7).slope);
}

TEST(Kl, IsExactlyZeroWhereThePolicyIsTheReference) {
  for (const char* name : {"k2", "k3", "k3+"}) {
    const KlValue kl = kl_estimate(kl_estimator(name), -3.25, -3.25);
    EXPECT_EQ(kl.value, 0) << name;
    EXPECT_EQ(kl.slope, 0) << name;
  }
}

TEST(Kl, AFarTokenCountsAsTwentyNatsAndHasNoSlope) {
  const KlValue far = kl_estimate(KlEstimator::kK3, -100, -1);
  EXPECT_DOUBLE_EQ(far.value, std::expm1(20.0) - 20);
  EXPECT_EQ(far.slope, 0);
}

TEST(Kl, TheCoefficientMovesTowardsTheTargetByAtMostAFifthPerHorizon) {
  EXPECT_DOUBLE_EQ(adapted_kl_coef(0.1, 0.11, 0.1, 1000, 100), 0.1 * (1 + 0.1 * 0.1));
  EXPECT_DOUBLE_EQ(adapted_kl_coef(0.1, 5, 0.1, 1000, 100), 0.1 * (1 + 0.2 * 0.1));
  EXPECT_DOUBLE_EQ(adapted_kl_coef(0.1, 0, 0.1, 1000, 100), 0.1 * (1 - 0.2 * 0.1));
  EXPECT_DOUBLE_EQ(adapted_kl_coef(0.1, 0.1, 0.1, 1000, 100), 0.1);
}

// Two sequences of two and three tokens; the last token of the second is not the model's.
Experience small_experience() {
  Experience e;
  e.sequences.resize(2);
  e.offset = {0, 2, 5};
  e.group = {0, 0};
  e.reward = {1, 0};
  e.valid = {1, 1};
  e.finish = {1, 1};
  e.mask = {1, 1, 1, 1, 0};
  e.behavior_logp = e.old_logp = {-1, -2, -1, -1, -9};
  e.keep = {1, 1};
  return e;
}

TEST(Kl, ThePenaltyIsMinusTheEstimateOfEveryTokenOfTheModel) {
  Experience e = small_experience();
  e.ref_logp = {-1.5, -2, -1.25, -1, -1};
  const KlPenalty p = kl_penalty(KlEstimator::kK1, 0.1, e);
  EXPECT_THAT(p.reward, ElementsAre(FloatNear(-0.05f, 1e-7f), 0, FloatNear(-0.025f, 1e-7f), 0, 0));
  EXPECT_DOUBLE_EQ(p.mean_kl, (0.25 + 0.125) / 2);
  EXPECT_EQ(p.num_seqs, 2);
  e.valid[0] = 0;
  EXPECT_DOUBLE_EQ(kl_penalty(KlEstimator::kK1, 0.1, e).mean_kl, 0.125);
  EXPECT_EQ(kl_penalty(KlEstimator::kK1, 0.1, e).reward[0], 0);
}

// ---- mismatch ----

class Mismatch : public testing::Test {
 protected:
  // rho: 1, 4 | 0.25, 1 (and one that the environment wrote).
  Mismatch() {
    e_.old_logp[1] += static_cast<float>(std::log(4.0));
    e_.old_logp[2] -= static_cast<float>(std::log(4.0));
  }
  std::vector<float> weights() { return mismatch_weights(table_, e_, metrics_); }
  double metric(const std::string& name) {
    return metrics_.at(name).first / metrics_.at(name).second;
  }

  Experience e_ = small_experience();
  MismatchTable table_;
  MetricSums metrics_;
};

const auto kNear = [](std::vector<float> expected) {
  return Pointwise(testing::FloatNear(1e-6f), expected);
};

TEST_F(Mismatch, NothingIsCorrectedUnlessAskedFor) {
  EXPECT_FALSE(corrects_mismatch(table_));
  EXPECT_THAT(weights(), ElementsAre(1, 1, 1, 1, 1));
}

TEST_F(Mismatch, TokenTisCutsTheRatioAtItsCap) {
  table_.token_tis = 2;
  EXPECT_TRUE(corrects_mismatch(table_));
  EXPECT_THAT(weights(), kNear({1, 2, 0.25f, 1, 1}));
}

TEST_F(Mismatch, SequenceTisCutsTheProductOfASequence) {
  table_.sequence_tis = 3;
  EXPECT_TRUE(corrects_mismatch(table_));
  EXPECT_THAT(weights(), kNear({3, 3, 0.25f, 0.25f, 1}));
}

TEST_F(Mismatch, IcePopKeepsTheRatioInsideAndLeavesOutTheRest) {
  table_.icepop = {0.5, 5};
  EXPECT_TRUE(corrects_mismatch(table_));
  EXPECT_THAT(weights(), kNear({1, 4, 0, 1, 1}));
  table_.token_tis = 2;
  EXPECT_THAT(weights(), kNear({1, 2, 0, 1, 1}));
}

TEST_F(Mismatch, ASequenceMaskLooksAtTheGeometricMean) {
  table_.sequence_mask = {0.4, 1.5};  // the means are 2 and 0.5
  EXPECT_TRUE(corrects_mismatch(table_));
  EXPECT_THAT(weights(), ElementsAre(0, 0, 1, 1, 1));
}

TEST_F(Mismatch, ARangeThatHoldsNothingIsRefused) {
  table_.icepop = {5, 0.5};
  try {
    check_mismatch(table_);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "`icepop` in [mismatch] is [5, 0.5], but the first must not be the larger one");
    EXPECT_EQ(error.exit_code(), kExitUsage);
  }
  table_.icepop = {0.5, 5};
  check_mismatch(table_);
}

TEST_F(Mismatch, MetricsDescribeTheTokensInTheLoss) {
  table_.token_tis = 2;
  weights();
  EXPECT_NEAR(metric("rollout_corr/rollout_is_mean"), 6.25 / 4, 1e-6);
  EXPECT_NEAR(metric("rollout_corr/rollout_is_max"), 4, 1e-5);
  EXPECT_NEAR(metric("rollout_corr/rollout_is_min"), 0.25, 1e-6);
  EXPECT_NEAR(metric("mismatch/mean_abs_logp"), 2 * std::log(4.0) / 4, 1e-6);
  EXPECT_NEAR(metric("rollout_corr/kl"), 0, 1e-6);
  EXPECT_NEAR(metric("rollout_corr/chi2_token"), (15 + 1.0 / 16 - 1) / 4, 1e-5);
  EXPECT_EQ(metric("mismatch/masked_frac"), 0);
  EXPECT_NEAR(metric("training/rollout_probs_diff_max"),
              std::exp(-2 + std::log(4.0)) - std::exp(-2), 1e-6);
}

}  // namespace
}  // namespace qed
