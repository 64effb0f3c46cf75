#include "qed/estimators.h"

#include <gmock/gmock.h>

#include <array>

namespace {

using testing::Each;
using testing::ElementsAre;

// Owns what a qed::Batch views. One token per sequence unless said otherwise.
struct Owned {
  std::vector<std::uint64_t> offset = {0}, group;
  std::vector<float> reward;
  std::vector<std::uint8_t> valid, mask;

  void add(std::uint64_t g, float r, std::size_t length = 1, bool is_valid = true) {
    group.push_back(g);
    reward.push_back(r);
    valid.push_back(is_valid ? 1 : 0);
    offset.push_back(offset.back() + length);
    mask.resize(offset.back(), 1);
  }

  qed::Batch view() const {
    return {.step = 1,
            .offset = offset,
            .group = group,
            .reward = reward,
            .valid = valid,
            .mask = mask,
            .behavior_logp = {},
            .old_logp = {},
            .ref_logp = {},
            .value = {}};
  }
};

qed::Statistics of(const std::vector<double>& x) {
  return qed::statistics(
      0, x.size(), [&](std::size_t i) { return x[i]; }, [](std::size_t) { return true; });
}

TEST(Statistics, StdIsUnbiased) {
  const auto s = of({1, 2, 3, 4});
  EXPECT_EQ(s.n, 4u);
  EXPECT_EQ(s.mean, 2.5);
  EXPECT_DOUBLE_EQ(s.std, std::sqrt(5.0 / 3));
}

TEST(Statistics, EqualValuesHaveExactlyTheirMeanAndStdZero) {
  for (const double x : {0.1, -1.0 / 3, 1e-30, 1e30, 0.0}) {
    for (std::size_t n = 1; n < 50; ++n) {
      const auto s = of(std::vector<double>(n, x));
      EXPECT_EQ(s.mean, x);
      EXPECT_EQ(s.std, 0.0);
    }
  }
}

TEST(Statistics, OfFewerThanTwoValuesTheStdIsZero) {
  EXPECT_EQ(of({}).n, 0u);
  EXPECT_EQ(of({}).mean, 0.0);
  EXPECT_EQ(of({7}).mean, 7.0);
  EXPECT_EQ(of({7}).std, 0.0);
}

TEST(RewardStatistics, LeaveOutInvalidSequences) {
  Owned batch;
  batch.add(0, 1);
  batch.add(0, 0, 1, false);
  batch.add(0, 3);
  const auto s = qed::reward_statistics(batch.view(), 0, 3);
  EXPECT_EQ(s.n, 2u);
  EXPECT_EQ(s.mean, 2.0);
  EXPECT_DOUBLE_EQ(s.std, std::sqrt(2.0));
}

TEST(ForEachGroup, VisitsEveryRunOfEqualIds) {
  Owned batch;
  for (const std::uint64_t g : {5, 5, 2, 9, 9, 9}) batch.add(g, 0);
  std::vector<std::pair<std::size_t, std::size_t>> seen;
  qed::for_each_group(batch.view(), [&](std::size_t b, std::size_t e) { seen.push_back({b, e}); });
  EXPECT_THAT(seen, ElementsAre(std::pair(0, 2), std::pair(2, 3), std::pair(3, 6)));
  qed::for_each_group(Owned().view(), [](std::size_t, std::size_t) { FAIL(); });
}

TEST(Broadcast, WritesOnlyWhatTheModelWrote) {
  Owned batch;
  batch.add(0, 0, 2);
  batch.add(0, 0, 3);
  batch.mask[3] = 0;
  std::vector<float> adv(5, 0.0f);
  qed::broadcast(batch.view(), 1, 2.5, adv);
  EXPECT_THAT(adv, ElementsAre(0, 0, 2.5, 0, 2.5));
}

TEST(TrainedTokens, AreTheModelsInValidSequences) {
  Owned batch;
  batch.add(0, 0, 2);
  batch.add(0, 0, 2, false);
  batch.mask[1] = 0;
  EXPECT_THAT(qed::trained_tokens(batch.view()), ElementsAre(true, false, false, false));
}

TEST(Whiten, GivesMeanZeroAndUnbiasedVarianceOneOverTheTokensThatCount) {
  Owned batch;
  batch.add(0, 0, 3);
  batch.add(0, 0, 1, false);
  batch.add(0, 0, 2);
  batch.mask[1] = 0;
  std::vector<float> x = {1, 77, 2, 88, 4, 7};  // those that count: 1 2 4 7
  qed::whiten(batch.view(), x, 0);
  const double root = std::sqrt(7.0);  // mean 3.5, variance 21 / 3
  EXPECT_FLOAT_EQ(x[0], static_cast<float>(-2.5 / root));
  EXPECT_EQ(x[1], 0.0f);
  EXPECT_FLOAT_EQ(x[2], static_cast<float>(-1.5 / root));
  EXPECT_EQ(x[3], 0.0f);
  EXPECT_FLOAT_EQ(x[4], static_cast<float>(0.5 / root));
  EXPECT_FLOAT_EQ(x[5], static_cast<float>(3.5 / root));
}

TEST(Whiten, AddsEpsToTheVariance) {
  Owned batch;
  batch.add(0, 0, 2);
  std::vector<float> x = {1e-4f, -1e-4f};  // variance 2e-8, eps 1e-8
  qed::whiten(batch.view(), x);
  EXPECT_NEAR(x[0], 1e-4 / std::sqrt(3e-8), 1e-6);
}

TEST(Whiten, EqualValuesBecomeExactlyZero) {
  Owned batch;
  batch.add(0, 0, 7);
  std::vector<float> x(7, 0.1f);
  qed::whiten(batch.view(), x);
  EXPECT_THAT(x, Each(0.0f));
}

}  // namespace
