#include "qed/estimators.h"

#include "batch.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace {

using testing::Each;
using testing::ElementsAre;

qed::Batch view(const Owned& batch) { return qed::view(batch.abi()); }

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
  const auto s = qed::reward_statistics(view(batch), 0, 3);
  EXPECT_EQ(s.n, 2u);
  EXPECT_EQ(s.mean, 2.0);
  EXPECT_DOUBLE_EQ(s.std, std::sqrt(2.0));
}

TEST(ForEachGroup, VisitsEveryRunOfEqualIds) {
  Owned batch;
  for (const std::uint64_t g : {5, 5, 2, 9, 9, 9}) batch.add(g, 0);
  std::vector<std::pair<std::size_t, std::size_t>> seen;
  qed::for_each_group(view(batch), [&](std::size_t b, std::size_t e) { seen.push_back({b, e}); });
  EXPECT_THAT(seen, ElementsAre(std::pair(0, 2), std::pair(2, 3), std::pair(3, 6)));
  qed::for_each_group(view(Owned()), [](std::size_t, std::size_t) { FAIL(); });
}

TEST(Broadcast, WritesOnlyWhatTheModelWrote) {
  Owned batch;
  batch.add(0, 0, 2);
  batch.add(0, 0, 3);
  batch.mask[3] = 0;
  std::vector<float> adv(5, 0.0f);
  qed::broadcast(view(batch), 1, 2.5, adv);
  EXPECT_THAT(adv, ElementsAre(0, 0, 2.5, 0, 2.5));
}

TEST(TrainedTokens, AreTheModelsInValidSequences) {
  Owned batch;
  batch.add(0, 0, 2);
  batch.add(0, 0, 2, false);
  batch.mask[1] = 0;
  EXPECT_THAT(qed::trained_tokens(view(batch)), ElementsAre(true, false, false, false));
}

TEST(Whiten, GivesMeanZeroAndUnbiasedVarianceOneOverTheTokensThatCount) {
  Owned batch;
  batch.add(0, 0, 3);
  batch.add(0, 0, 1, false);
  batch.add(0, 0, 2);
  batch.mask[1] = 0;
  std::vector<float> x = {1, 77, 2, 88, 4, 7};  // those that count: 1 2 4 7
  qed::whiten(view(batch), x, 0);
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
  qed::whiten(view(batch), x);
  EXPECT_NEAR(x[0], 1e-4 / std::sqrt(3e-8), 1e-6);
}

TEST(Whiten, EqualValuesBecomeExactlyZero) {
  Owned batch;
  batch.add(0, 0, 7);
  std::vector<float> x(7, 0.1f);
  qed::whiten(view(batch), x);
  EXPECT_THAT(x, Each(0.0f));
}

// ---- scores ----

TEST(Score, IsTheRewardAndTheRewardsOfTheTokensThatTheModelWrote) {
  Owned batch;
  batch.add(0, 0.5f, 3);
  batch.add(0, 2, 2);
  batch.mask[1] = 0;
  batch.add_stream({1, 100, 2, 0, 0});
  batch.add_stream({0, 0, 0.25f, 0, -1}, 0.5);
  EXPECT_EQ(qed::score(view(batch), 0), 3.75);
  EXPECT_EQ(qed::score(view(batch), 1), 1.0);
  EXPECT_EQ(qed::reward_statistics(view(batch), 0, 2).mean, 2.375);
}

TEST(LeaveOneOut, TurnsTheDistanceToTheMeanIntoThatToTheOthers) {
  const std::vector<double> x = {1, 4, 7, 10};
  const auto s = of(x);
  EXPECT_DOUBLE_EQ(qed::leave_one_out(s) * (x[1] - s.mean), 4 - (1 + 7 + 10) / 3.0);
  EXPECT_EQ(qed::leave_one_out(of({7})), 0.0);
  EXPECT_EQ(qed::leave_one_out(of({})), 0.0);
}

// ---- returns ----

TEST(DiscountedReturns, DiscountPerTokenThatTheModelWrote) {
  Owned batch;
  batch.add(0, 8, 4);
  batch.mask[2] = 0;
  batch.add_stream({1, 0, 0, 2});
  EXPECT_THAT(qed::discounted_returns(view(batch), 0.5), ElementsAre(3.5, 5, 0, 10));
}

TEST(DiscountedReturns, AStreamKeepsItsOwnDiscount) {
  Owned batch;
  batch.add(0, 8, 3);
  batch.add_stream({0, 0, 4}, 0.25);
  EXPECT_THAT(qed::discounted_returns(view(batch), 0.5), ElementsAre(2 + 0.25, 4 + 1.0, 8 + 4.0));
}

TEST(DiscountedReturns, OfSequencesWithoutTokensOfTheModelAreZero) {
  Owned batch;
  batch.add(0, 8, 2);
  batch.mask = {0, 0};
  batch.add(0, 8, 0);
  EXPECT_THAT(qed::discounted_returns(view(batch), 0.5), Each(0.0));
}

// Ragged, with a critic and two streams.
Owned random_batch(std::uint64_t seed) {
  qed::Rng rng(seed);
  Owned batch;
  for (std::uint64_t b = 0; b < 9; ++b) {
    batch.add(b / 3, grid(rng, -1, 1), static_cast<std::size_t>(rng.integer(1, 7)));
  }
  std::vector<float> first, second;
  for (float& v : batch.value) {
    v = grid(rng, -1, 1);
    first.push_back(grid(rng, -1, 1)), second.push_back(grid(rng, -1, 1));
  }
  batch.add_stream(first);
  batch.add_stream(second, 0.875);
  return batch;
}

TEST(PerTokenEstimators, TokensOfTheEnvironmentChangeNothing) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Owned plain = random_batch(seed), with = plain.with_observations();
    for (const double gamma : {1.0, 0.9, 0.5, 0.0}) {
      const auto returns = qed::discounted_returns(view(plain), gamma);
      const auto carried = qed::discounted_returns(view(with), gamma);
      const auto gae = qed::gae(view(plain), gamma, 0.75);
      const auto carried_gae = qed::gae(view(with), gamma, 0.75);
      std::size_t next = 0;
      for (std::size_t t = 0; t < with.mask.size(); ++t) {
        if (with.mask[t] == 0) {
          EXPECT_EQ(carried[t] + carried_gae.adv[t] + carried_gae.ret[t], 0.0);
          continue;
        }
        EXPECT_EQ(carried[t], returns[next]);
        EXPECT_EQ(carried_gae.adv[t], gae.adv[next]);
        EXPECT_EQ(carried_gae.ret[t], gae.ret[next]);
        ++next;
      }
      EXPECT_EQ(next, returns.size());
    }
  }
}

TEST(Gae, IsTheRecursionOfItsDefinition) {
  Owned batch;
  batch.add(0, 1, 3);
  batch.value = {0.5f, 0.25f, -0.5f};
  const auto gae = qed::gae(view(batch), 0.5, 0.5);
  const double d2 = 1 + 0.5, d1 = 0.5 * -0.5 - 0.25, d0 = 0.5 * 0.25 - 0.5;
  const double a1 = d1 + 0.25 * d2, a0 = d0 + 0.25 * a1;
  EXPECT_THAT(gae.adv, ElementsAre(a0, a1, d2));
  EXPECT_THAT(gae.ret, ElementsAre(a0 + 0.5, a1 + 0.25, d2 - 0.5));
}

TEST(Gae, WithLambdaOneItIsReturnsMinusValues) {
  const Owned batch = random_batch(3);
  for (const double gamma : {1.0, 0.9}) {
    const auto gae = qed::gae(view(batch), gamma, 1);
    const auto returns = qed::discounted_returns(view(batch), gamma);
    for (std::size_t t = 0; t < returns.size(); ++t) {
      EXPECT_NEAR(gae.adv[t], returns[t] - batch.value[t], 1e-12);
      EXPECT_NEAR(gae.ret[t], returns[t], 1e-12);
    }
  }
}

TEST(Gae, ScalesWithRewardsAndValues) {
  Owned batch = random_batch(4), twice = random_batch(4);
  for (auto* v : {&twice.reward, &twice.value, &twice.stream_rewards[0], &twice.stream_rewards[1]})
    for (float& x : *v) x *= 2;
  const auto one = qed::gae(view(batch), 0.9, 0.8), two = qed::gae(view(twice), 0.9, 0.8);
  for (std::size_t t = 0; t < one.adv.size(); ++t) EXPECT_EQ(two.adv[t], 2 * one.adv[t]);
}

// ---- whitening laws ----

TEST(Whiten, DependsNeitherOnScaleNorOnShift) {
  const Owned batch = random_batch(5);
  auto x = qed::discounted_returns(view(batch), 0.9), y = x;
  for (double& v : y) v = 8 * v + 3;
  qed::whiten(view(batch), x, 0);
  qed::whiten(view(batch), y, 0);
  for (std::size_t t = 0; t < x.size(); ++t) EXPECT_NEAR(x[t], y[t], 1e-12);
}

TEST(Whiten, PermutedSequencesGetTheirOwnValues) {
  Owned batch, reversed;
  for (std::uint64_t b = 0; b < 5; ++b) {
    batch.add(b, static_cast<float>(b * b), 2);
    reversed.add(b, static_cast<float>((4 - b) * (4 - b)), 2);
  }
  auto x = qed::discounted_returns(view(batch), 1), y = qed::discounted_returns(view(reversed), 1);
  qed::whiten(view(batch), x);
  qed::whiten(view(reversed), y);
  std::ranges::reverse(y);
  for (std::size_t t = 0; t < x.size(); ++t) EXPECT_NEAR(x[t], y[t], 1e-14);
}

TEST(Store, WritesOnlyTheTokensThatCount) {
  Owned batch;
  batch.add(0, 0, 2);
  batch.add(0, 0, 1, false);
  batch.mask[0] = 0;
  std::vector<float> out(3, 9.0f);
  qed::store(view(batch), {1, 2, 3}, out);
  EXPECT_THAT(out, ElementsAre(9, 2, 9));
}

}  // namespace
