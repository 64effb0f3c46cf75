// The first-party algorithms, through the host: values by hand, laws that hold for all of them, and
// gradients against finite differences. Numbers of other frameworks are in tests/conformance.

#include "core/host/algorithm.h"
#include "tests/host/host_fixture.h"
#include "tests/host/options.h"
#include "tests/sdk/batch.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

namespace qed {
namespace {

using nlohmann::json;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::FloatEq;
using testing::FloatNear;
using testing::Pointwise;

const std::vector<std::string> kAll = {"cispo", "gpg", "grpo",         "gspo",  "maxrl",
                                       "opo",   "ppo", "reinforce_pp", "remax", "rloo"};

class Algorithms : public testing::Test {
 protected:
  std::unique_ptr<Algorithm> make(const std::string& name, const json& options = {}) {
    const Component& component = host_.load("algorithm", name);
    return std::make_unique<Algorithm>(component, options_with(component.spec, options),
                                       host_.abi());
  }

  // The greedy completion of every group has reward 1/4.
  std::vector<float> advantage(const std::string& name, const Owned& batch,
                               const json& options = {}) {
    std::vector<float> adv(batch.mask.size());
    ret_.assign(batch.mask.size(), 0);
    std::vector<std::uint8_t> keep(batch.group.size(), 1);
    qed_advantage out = {sizeof(qed_advantage),      0,
                         {adv.data(), adv.size()},   {ret_.data(), ret_.size()},
                         {keep.data(), keep.size()}, nullptr};
    make(name, options)->advantage(batch.abi(), out, metrics_, 0);
    EXPECT_THAT(keep, Each(1));
    return adv;
  }

  PluginHost host_{{product_plugins()}};
  MetricSums metrics_;
  std::vector<float> ret_;
};

// Completions of one token each, in groups of `size`.
Owned ones(const std::vector<float>& rewards, std::size_t size) {
  Owned batch;
  for (std::size_t b = 0; b < rewards.size(); ++b) batch.add(b / size, rewards[b]);
  return batch;
}

// ---- values by hand ----

TEST_F(Algorithms, GrpoNormalisesByGroupMeanAndUnbiasedStd) {
  Owned batch;
  for (const float r : {1, 0, 0, 1}) batch.add(0, r);  // mean 1/2, std sqrt(1/3)
  for (const float r : {3, 1}) batch.add(7, r, 2);     // mean 2, std sqrt(2)
  const float a = static_cast<float>(0.5 / (std::sqrt(1.0 / 3) + 1e-6));
  const float b = static_cast<float>(1 / (std::sqrt(2.0) + 1e-6));
  EXPECT_THAT(advantage("grpo", batch), ElementsAre(a, -a, -a, a, b, b, -b, -b));
  EXPECT_EQ(advantage("gspo", batch), advantage("grpo", batch));
  EXPECT_EQ(advantage("cispo", batch), advantage("grpo", batch));
}

TEST_F(Algorithms, GrpoWithTheMeanAloneIsDrGrpo) {
  EXPECT_THAT(advantage("grpo", ones({1, 0, 0, 0, 3, 1}, 4), {{"normalize", "mean"}}),
              ElementsAre(0.75, -0.25, -0.25, -0.25, 1, -1));
}

TEST_F(Algorithms, GrpoMayDivideByTheStdOfTheStep) {
  const double std = std::sqrt(2.0);  // of all rewards: mean 1, squares 6 / 3
  const auto a = static_cast<float>(0.5 / (std + 1e-6)), b = static_cast<float>(1.5 / (std + 1e-6));
  EXPECT_THAT(advantage("grpo", ones({1, 0, 3, 0}, 2), {{"normalize", "batch_std"}}),
              ElementsAre(a, -a, b, -b));
}

TEST_F(Algorithms, GrpoMayLeaveACompletionOutOfItsMean) {
  const json options = {{"leave_one_out", true}, {"normalize", "mean"}};
  EXPECT_THAT(advantage("grpo", ones({3, 0, 0}, 3), options), ElementsAre(3, -1.5, -1.5));
}

TEST_F(Algorithms, RlooTakesOffTheMeanOfTheOthers) {
  EXPECT_THAT(advantage("rloo", ones({3, 0, 0, 8, 4, 0}, 3)), ElementsAre(3, -1.5, -1.5, 6, 0, -6));
}

TEST_F(Algorithms, RlooMayNormaliseOverTheStep) {
  const auto plain = advantage("rloo", ones({3, 0, 0, 8, 4, 0}, 3));
  const auto got = advantage("rloo", ones({3, 0, 0, 8, 4, 0}, 3), {{"normalize", true}});
  double squares = 0;
  for (const float a : plain) squares += double{a} * a;
  for (std::size_t b = 0; b < 6; ++b) {
    EXPECT_FLOAT_EQ(got[b], static_cast<float>(plain[b] / (std::sqrt(squares / 5) + 1e-4)));
  }
}

TEST_F(Algorithms, OpoWeighsItsBaselineByLength) {
  Owned batch;
  batch.add(0, 1, 3);
  batch.add(0, 0, 1);
  EXPECT_THAT(advantage("opo", batch), ElementsAre(0.25, 0.25, 0.25, -0.75));
}

TEST_F(Algorithms, GpgUndoesWhatDeadGroupsTakeAway) {
  const auto batch = ones({1, 0, 1, 1, 0, 0, 1, 1}, 2);  // 2 of 8 completions are in a live group
  EXPECT_THAT(advantage("gpg", batch), ElementsAre(2, -2, 0, 0, 0, 0, 0, 0));
  EXPECT_EQ(metrics_["gpg/alpha"], std::pair(4.0, 1.0));
  EXPECT_THAT(advantage("gpg", batch, {{"alpha", "verl"}}),  // 5 rewards are not 0
              ElementsAre(0.8f, -0.8f, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(advantage("gpg", batch, {{"alpha", "none"}}),
              ElementsAre(0.5, -0.5, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(advantage("gpg", ones({0, 0}, 2)), Each(0.0f));
}

TEST_F(Algorithms, MaxrlDividesByTheMean) {
  EXPECT_THAT(advantage("maxrl", ones({1, 0, 0, 0}, 4), {{"eps", 0}}), ElementsAre(3, -1, -1, -1));
}

TEST_F(Algorithms, MaxrlRefusesNegativeRewards) {
  const auto f = failure_of([&] { advantage("maxrl", ones({1, -1}, 2)); });
  EXPECT_THAT(f.message, testing::HasSubstr("a completion has the reward -1"));
  EXPECT_EQ(f.exit_code, kExitPlugin);
}

TEST_F(Algorithms, RemaxTakesOffTheGreedyReward) {
  Owned batch;
  batch.add(0, 1, 2);
  batch.add(0, 0, 1);
  batch.add_stream({0.5f, 0.125f, 0});
  EXPECT_THAT(advantage("remax", batch), ElementsAre(1.375, 0.875, -0.25));
}

TEST_F(Algorithms, ReinforcePpWhitensOverTokens) {
  Owned batch;
  batch.add(0, 1, 1);
  batch.add(1, 0, 3);  // over four tokens: mean 1/4, variance (9/16 + 3/16) / 3 = 1/4
  const float root = static_cast<float>(std::sqrt(0.25 + 1e-8));
  EXPECT_THAT(advantage("reinforce_pp", batch),
              ElementsAre(FloatEq(0.75f / root), FloatEq(-0.25f / root), FloatEq(-0.25f / root),
                          FloatEq(-0.25f / root)));
}

TEST_F(Algorithms, ReinforcePpDiscountsReturns) {
  Owned batch;
  batch.add(0, 1, 3);  // returns 1/4 1/2 1: mean 7/12, variance 7/48
  const double root = std::sqrt(7.0 / 48 + 1e-8);
  const auto adv = advantage("reinforce_pp", batch, {{"gamma", 0.5}});
  const double returns[] = {0.25, 0.5, 1};
  for (std::size_t t = 0; t < 3; ++t) EXPECT_NEAR(adv[t], (returns[t] - 7.0 / 12) / root, 1e-6);
}

TEST_F(Algorithms, ReinforcePpWithABaselineComparesWithinGroups) {
  const auto adv = advantage("reinforce_pp", ones({1, 0, 9, 7}, 2), {{"baseline", true}});
  const double root = std::sqrt((0.25 + 0.25 + 1 + 1) / 3 + 1e-8);
  EXPECT_THAT(adv, ElementsAre(FloatNear(0.5f / root, 1e-6f), FloatNear(-0.5f / root, 1e-6f),
                               FloatNear(1 / root, 1e-6f), FloatNear(-1 / root, 1e-6f)));
}

TEST_F(Algorithms, PpoEstimatesWithTheCriticAndGivesItTargets) {
  Owned batch;
  batch.add(0, 1, 2);
  batch.value = {0.5f, 0.25f};
  const json options = {{"gamma", 0.5}, {"lambda", 0.5}, {"whiten", false}};
  const double d1 = 0.75, d0 = 0.125 - 0.5;
  EXPECT_THAT(advantage("ppo", batch, options), ElementsAre(d0 + 0.25 * d1, d1));
  EXPECT_THAT(ret_, ElementsAre(d0 + 0.25 * d1 + 0.5, 1));
  EXPECT_EQ(make("ppo")->needs(), QED_NEEDS_VALUE);
  EXPECT_EQ(make("remax")->needs(), QED_NEEDS_BASELINE);
  EXPECT_EQ(make("grpo")->needs(), 0u);
}

// ---- laws ----

// Rewards of at least 0, groups of 1 to 5, ragged, some invalid, with two streams.
Owned random_batch(std::uint64_t seed) {
  Rng rng(seed);
  Owned batch;
  for (std::uint64_t g = 0; g < 6; ++g) {
    for (std::int64_t n = rng.integer(1, 5); n > 0; --n) {
      const bool is_valid = rng.real() > 0.2;
      const float reward = is_valid ? grid(rng, 0, 1) : 0.0f;
      batch.add(g, reward, static_cast<std::size_t>(rng.integer(1, 6)), is_valid);
    }
  }
  std::vector<float> first, second;
  for (float& v : batch.value) {
    v = grid(rng, -1, 1);
    first.push_back(grid(rng, 0, 0.25)), second.push_back(grid(rng, 0, 0.25));
  }
  batch.add_stream(first);
  batch.add_stream(second, 0.875);
  return batch;
}

TEST_F(Algorithms, TokensOfTheEnvironmentChangeNothing) {
  for (const std::string& name : kAll) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const Owned plain = random_batch(seed), with = plain.with_observations();
      const json gamma = name == "ppo" || name == "reinforce_pp" ? json{{"gamma", 0.5}} : json{};
      const auto expected = plain.spread(advantage(name, plain, gamma));
      const auto targets = plain.spread(ret_);
      EXPECT_THAT(advantage(name, with, gamma), ElementsAreArray(expected)) << name;
      EXPECT_THAT(ret_, ElementsAreArray(targets)) << name;
    }
  }
}

TEST_F(Algorithms, EqualRewardsGiveExactlyZero) {
  for (const std::string& name : kAll) {
    Owned batch;
    const float reward = name == "remax" ? 0.25f : 0.1f;  // 0.1 is no binary fraction
    for (std::uint64_t b = 0; b < 24; ++b) batch.add(b / 8, reward, 1 + b % 3);
    EXPECT_THAT(advantage(name, batch), Each(0.0f)) << name;
  }
}

TEST_F(Algorithms, AGroupOfOneGivesExactlyZero) {
  for (const std::string name : {"cispo", "gpg", "grpo", "gspo", "maxrl", "opo", "rloo"}) {
    const auto adv = advantage(name, ones({1, 0, 5}, 1));
    EXPECT_THAT(adv, Each(0.0f)) << name;
  }
}

TEST_F(Algorithms, InvalidSequencesAreInNoStatistic) {
  for (const std::string& name : kAll) {
    Owned with, without;
    for (std::uint64_t b = 0; b < 12; ++b) {
      const float reward = static_cast<float>(b * b % 7);
      with.add(b / 4, reward, 1 + b % 3);
      without.add(b / 4, reward, 1 + b % 3);
      if (b % 3 == 1) with.add(b / 4, 0, 2, false);
    }
    auto adv = advantage(name, with);
    for (std::size_t b = with.group.size(); b-- > 0;) {
      if (with.valid[b] != 0) continue;
      const auto begin = adv.begin() + static_cast<std::ptrdiff_t>(with.offset[b]);
      EXPECT_THAT(std::vector(begin, begin + 2), Each(0.0f)) << name;
      adv.erase(begin, begin + 2);
    }
    EXPECT_THAT(adv, ElementsAreArray(advantage(name, without))) << name;
  }
}

TEST_F(Algorithms, TheOrderOfCompletionsPlaysNoPart) {
  for (const std::string& name : kAll) {
    const Owned batch = random_batch(11);
    const std::size_t n = batch.group.size();
    Owned reversed;
    std::vector<float> first, second;
    for (std::size_t b = n; b-- > 0;) {
      reversed.add(batch.group[b], batch.reward[b], batch.offset[b + 1] - batch.offset[b],
                   batch.valid[b] != 0);
      for (auto t = batch.offset[b]; t < batch.offset[b + 1]; ++t) {
        reversed.value[first.size()] = batch.value[t];
        first.push_back(batch.stream_rewards[0][t]), second.push_back(batch.stream_rewards[1][t]);
      }
    }
    reversed.add_stream(first);
    reversed.add_stream(second, 0.875);
    const auto expected = advantage(name, batch), got = advantage(name, reversed);
    for (std::size_t b = 0; b < n; ++b) {
      for (std::size_t i = 0; i < batch.offset[b + 1] - batch.offset[b]; ++i) {
        const float other = got[reversed.offset[n - 1 - b] + i];
        EXPECT_NEAR(other, expected[batch.offset[b] + i], 1e-6) << name;
      }
    }
  }
}

TEST_F(Algorithms, AdvantagesScaleWithTheRewardsOrNotAtAll) {
  for (const std::string& name : kAll) {
    const bool is_scale_free = name != "gpg" && name != "opo" && name != "remax" && name != "rloo";
    const float factor = is_scale_free ? 1.0f : 4.0f;
    const float shift = name == "remax" ? 0.25f : 0.0f;  // 4 (R - 1/4) = 4 R - 3/4 - 1/4
    Owned one = ones({3, 0, 1, 8, 4, 0, 7, 7}, 4), four = ones({12, 0, 4, 32, 16, 0, 28, 28}, 4);
    if (shift != 0) {
      for (float& r : four.reward) r -= 0.75f;
    }
    const auto a = advantage(name, one), b = advantage(name, four);
    for (std::size_t t = 0; t < a.size(); ++t) EXPECT_NEAR(b[t], factor * a[t], 1e-5) << name;
  }
}

TEST_F(Algorithms, ARewardThatIsNotFiniteIsRefused) {
  for (const std::string& name : kAll) {
    const auto f = failure_of([&] { advantage(name, ones({1, NAN, 0}, 3)); });
    EXPECT_THAT(f.message, testing::HasSubstr("the reward of completion 1 is nan"));
  }
}

TEST_F(Algorithms, BatchesWithoutTokensOrSequencesAreFine) {
  Owned none, empty;
  empty.add(0, 1, 0);
  empty.add(0, 0, 0);
  for (const std::string& name : kAll) {
    EXPECT_TRUE(advantage(name, none).empty());
    EXPECT_TRUE(advantage(name, empty).empty());
  }
}

// ---- losses ----

constexpr float kStep = 1.0f / 4096;

// What a loss call sees and gives.
struct LossRun {
  explicit LossRun(std::uint64_t seed) {
    Rng rng(seed);
    for (std::uint64_t b = 0; b < 6; ++b) {
      batch.add(b / 3, 0, static_cast<std::size_t>(rng.integer(1, 8)));
    }
    for (std::size_t t = 0; t < batch.mask.size(); ++t) {
      batch.mask[t] = t % 5 == 3 ? 0 : 1;
      batch.old_logp[t] = grid(rng, -4, 0);
      batch.value[t] = grid(rng, -1, 1);
      logp.push_back(batch.old_logp[t] + grid(rng, -0.6, 0.6));
      value.push_back(batch.value[t] + grid(rng, -1, 1));
      ret.push_back(grid(rng, -1, 1));
      adv.push_back(grid(rng, -2, 2));
      weight.push_back(t % 5 == 3 ? 0 : grid(rng, 0.01, 0.25));
    }
    grad.resize(logp.size()), grad_value.resize(logp.size());
  }

  // The loss of the policy and that of the critic.
  double call(const Algorithm& algorithm, const qed_batch& abi) {
    qed_loss args{};
    args.size = sizeof(qed_loss);
    args.batch = &abi;
    args.adv = {adv.data(), adv.size()}, args.ret = {ret.data(), ret.size()};
    args.logp = {logp.data(), logp.size()}, args.weight = {weight.data(), weight.size()};
    args.grad_logp = {grad.data(), grad.size()};
    if ((algorithm.needs() & QED_NEEDS_VALUE) != 0) {
      args.value = {value.data(), value.size()};
      args.grad_value = {grad_value.data(), grad_value.size()};
    }
    algorithm.loss(args, metrics, 0);
    return args.loss + args.value_loss;
  }

  Owned batch;
  std::vector<float> logp, value, ret, adv, weight, grad, grad_value;
  MetricSums metrics;
};

class Losses : public Algorithms {
 protected:
  // Compares the gradient of `input`, away from kinks; gives how many entries were compared.
  int compare(const Algorithm& algorithm, std::vector<float> LossRun::*input,
              std::vector<float> LossRun::*grad) {
    int used = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      LossRun run(seed);
      const qed_batch batch = run.batch.abi();
      const double middle = run.call(algorithm, batch);
      const auto analytic = run.*grad;
      for (std::size_t t = 0; t < analytic.size(); ++t) {
        float& x = (run.*input)[t];
        x += kStep;
        const double plus = run.call(algorithm, batch);
        x -= 2 * kStep;
        const double minus = run.call(algorithm, batch);
        x += kStep;
        if (std::abs(plus - 2 * middle + minus) > 2e-6) continue;  // crossed a bound
        EXPECT_NEAR(analytic[t], (plus - minus) / (2 * kStep), 1e-6)
            << algorithm.name() << ", seed " << seed << ", token " << t;
        ++used;
      }
    }
    return used;
  }
};

TEST_F(Losses, GradientsAreThoseOfFiniteDifferences) {
  const std::pair<std::string, json> kCases[] = {
      {"gpg", {}},
      {"grpo", {}},
      {"grpo", {{"dual_clip", 1.25}, {"clip_high", 0.125}}},
      {"gspo", {}},
      {"gspo", {{"clip_low", 0.2}, {"clip_high", 0.2}}},
      {"maxrl", {}},
      {"opo", {}},
      {"ppo", {}},
      {"reinforce_pp", {}},
      {"remax", {}},
      {"rloo", {}},
      {"rloo", {{"ratio", "sequence"}}},
  };
  for (const auto& [name, options] : kCases) {
    EXPECT_GT(compare(*make(name, options), &LossRun::logp, &LossRun::grad), 300) << name;
  }
  EXPECT_GT(compare(*make("ppo"), &LossRun::value, &LossRun::grad_value), 300);
}

// A factor is held fixed, so that the value's own differences say nothing.
TEST_F(Losses, CispoWeighsReinforceByTheBoundedRatio) {
  LossRun run(1);
  const double loss =
      run.call(*make("cispo", {{"min_ratio", 0.8}, {"max_ratio", 1.25}}), run.batch.abi());
  double expected = 0;
  for (std::size_t t = 0; t < run.logp.size(); ++t) {
    const double ratio = std::exp(double{run.logp[t]} - run.batch.old_logp[t]);
    const double slope = -double{run.weight[t]} * run.adv[t] * std::clamp(ratio, 0.8, 1.25);
    expected += slope * run.logp[t];
    EXPECT_FLOAT_EQ(run.grad[t], static_cast<float>(slope));
  }
  EXPECT_NEAR(loss, expected, 1e-12);
}

TEST_F(Losses, WithoutAnAdvantageNoTokenHasAGradient) {
  for (const std::string& name : kAll) {
    LossRun run(2);
    run.adv.assign(run.adv.size(), 0);
    run.call(*make(name), run.batch.abi());
    EXPECT_THAT(run.grad, Each(0.0f)) << name;
  }
}

TEST_F(Losses, AreClippedOnBothSidesOnlyWhereThatLimitsAGain) {
  const double ratio[] = {1.5, 1.5, 0.5, 0.5, 1.25, 1.5};  // bounds: 0.8 and 1.28
  for (const std::string name : {"grpo", "maxrl", "opo", "ppo", "reinforce_pp", "remax", "rloo"}) {
    LossRun run(0);
    run.batch = Owned();
    run.batch.add(0, 0, 6);
    run.batch.old_logp.assign(6, -2);
    run.adv = {1, -1, 1, -1, 2, 3};
    run.weight = {0.5, 0.5, 0.5, 0.5, 0.5, 0};  // the last is not trained on
    run.logp.clear();
    for (const double r : ratio) run.logp.push_back(static_cast<float>(-2 + std::log(r)));
    run.value.assign(6, 0), run.ret.assign(6, 0);
    run.grad.resize(6), run.grad_value.resize(6);
    const double loss = run.call(*make(name, {{"clip_high", 0.28}}), run.batch.abi());
    EXPECT_NEAR(loss, 0.5 * (-1.28 + 1.5 - 0.5 + 0.8 - 2.5), 1e-6) << name;
    EXPECT_THAT(run.grad, ElementsAre(0, FloatNear(0.75f, 1e-6f), FloatNear(-0.25f, 1e-6f), 0,
                                      FloatNear(-1.25f, 1e-6f), 0));
    EXPECT_EQ(run.metrics["actor/pg_clipfrac"], std::pair(2.0, 5.0));
    EXPECT_EQ(run.metrics["actor/ppo_kl"].second, 5.0);
    EXPECT_NEAR(run.metrics["actor/ppo_kl"].first,
                -(2 * std::log(1.5) + 2 * std::log(0.5) + std::log(1.25)), 1e-6);
  }
}

// ---- options ----

TEST_F(Algorithms, OptionsThatContradictEachOtherAreRefused) {
  const auto refusal = [&](const std::string& name, const json& options) {
    return failure_of([&] { make(name, options); }).message;
  };
  EXPECT_THAT(refusal("grpo", {{"dual_clip", 0.5}}), testing::HasSubstr("it must be above 1"));
  EXPECT_THAT(refusal("cispo", {{"min_ratio", 1}, {"max_ratio", 0.5}}),
              testing::HasSubstr("`min_ratio` is above `max_ratio`"));
  EXPECT_THAT(refusal("reinforce_pp", {{"baseline", true}, {"gamma", 0.9}}),
              testing::HasSubstr("`gamma` has no effect with `baseline`"));
}

}  // namespace
}  // namespace qed
