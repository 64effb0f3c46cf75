#include "qed/losses.h"

#include "qed/philox.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace {

constexpr double kLow = 0.2, kHigh = 0.28;

// A random batch for the clipped loss, on a grid that float32 and the finite differences share.
struct Random {
  explicit Random(std::uint64_t seed, std::size_t n = 40) {
    qed::Rng rng(seed);
    const auto grid = [&](double low, double high) {
      return static_cast<float>(std::round((low + (high - low) * rng.real()) * 4096) / 4096);
    };
    for (std::size_t t = 0; t < n; ++t) {
      old_logp.push_back(grid(-4, 0));
      logp.push_back(old_logp.back() + grid(-0.8, 0.8));
      adv.push_back(grid(-2, 2));
      weight.push_back(t % 7 == 0 ? 0.0f : grid(0.01, 0.5));
      grad.push_back(0);
    }
  }

  double loss() {
    qed::Batch batch{};
    batch.old_logp = old_logp;
    qed_metrics sink{sizeof(qed_metrics), 0, this, &add};
    qed::LossArgs args{
        .adv = adv, .ret = {}, .logp = logp, .weight = weight, .grad_logp = grad, .metrics = &sink};
    return qed::clipped_policy_loss(batch, args, kLow, kHigh);
  }

  static void add(qed_metrics* self, qed_str name, double sum, double count) {
    auto& at = static_cast<Random*>(self->host)->metrics[std::string(qed::view(name))];
    at.first += sum, at.second += count;
  }

  std::vector<float> old_logp, logp, adv, weight, grad;
  std::map<std::string, std::pair<double, double>> metrics;
};

TEST(ClippedPolicyLoss, GradientIsThatOfFiniteDifferences) {
  constexpr float kStep = 1.0f / 4096;  // keeps logp on the grid: no rounding
  int clipped_low = 0, clipped_high = 0, open = 0;
  double worst = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random r(seed);
    r.loss();
    const std::vector<float> grad = r.grad;
    for (std::size_t t = 0; t < grad.size(); ++t) {
      const double ratio = std::exp(double{r.logp[t]} - r.old_logp[t]);
      const double to_kink = std::min(std::abs(ratio - (1 - kLow)), std::abs(ratio - (1 + kHigh)));
      if (to_kink < 2 * kStep) continue;
      Random plus = r, minus = r;
      plus.logp[t] += kStep;
      minus.logp[t] -= kStep;
      const double expected = (plus.loss() - minus.loss()) / (2 * kStep);
      // Third-order term of exp: ratio h^2 / 6 < 3e-8; float32 output: 6e-8.
      worst = std::max(worst, std::abs(grad[t] - expected));
      EXPECT_NEAR(grad[t], expected, 5e-7) << "seed " << seed << ", token " << t;
      const bool is_low = ratio < 1 - kLow && r.adv[t] < 0;
      const bool is_high = ratio > 1 + kHigh && r.adv[t] > 0;
      if (r.weight[t] == 0 || is_low || is_high) {
        EXPECT_EQ(grad[t], 0.0f);
      }
      if (r.weight[t] == 0) continue;
      ++(is_low ? clipped_low : is_high ? clipped_high : open);
    }
  }
  RecordProperty("worst", std::to_string(worst));
  EXPECT_GT(clipped_low, 100);
  EXPECT_GT(clipped_high, 100);
  EXPECT_GT(open, 500);
}

TEST(ClippedPolicyLoss, OnPolicyItIsMinusWeightTimesAdvantage) {
  Random r(1);
  r.logp = r.old_logp;
  double expected = 0;
  for (std::size_t t = 0; t < r.adv.size(); ++t) expected -= double{r.weight[t]} * r.adv[t];
  EXPECT_DOUBLE_EQ(r.loss(), expected);
  for (std::size_t t = 0; t < r.adv.size(); ++t) {
    EXPECT_EQ(r.grad[t], static_cast<float>(-double{r.weight[t]} * r.adv[t]));
  }
  EXPECT_EQ(r.metrics["actor/pg_clipfrac"].first, 0.0);
  EXPECT_EQ(r.metrics["actor/ppo_kl"].first, 0.0);
}

TEST(ClippedPolicyLoss, WithoutAnAdvantageThereIsNoLossAndNoGradient) {
  Random r(2);
  r.adv.assign(r.adv.size(), 0);
  EXPECT_EQ(r.loss(), 0.0);
  for (const float g : r.grad) EXPECT_EQ(g, 0.0f);
}

TEST(ClippedPolicyLoss, TokensWithoutWeightMayHoldAnything) {
  Random r(3), clean(3);
  for (std::size_t t = 0; t < r.adv.size(); ++t) {
    if (r.weight[t] == 0) r.logp[t] = r.adv[t] = r.old_logp[t] = NAN;
  }
  EXPECT_EQ(r.loss(), clean.loss());
  EXPECT_EQ(r.grad, clean.grad);
  EXPECT_EQ(r.metrics, clean.metrics);
}

TEST(ClippedPolicyLoss, SplittingABatchChangesNothing) {
  Random whole(4, 40), first(4, 40), second(4, 40);
  for (auto* v : {&first.old_logp, &first.logp, &first.adv, &first.weight, &first.grad})
    v->resize(13);
  for (auto* v : {&second.old_logp, &second.logp, &second.adv, &second.weight, &second.grad}) {
    v->erase(v->begin(), v->begin() + 13);
  }
  const double parts = first.loss() + second.loss();
  EXPECT_NEAR(whole.loss(), parts, 1e-12);  // only the order of the additions differs
  first.grad.insert(first.grad.end(), second.grad.begin(), second.grad.end());
  EXPECT_EQ(first.grad, whole.grad);
}

TEST(ClippedPolicyLoss, HugeRatiosStayFinite) {
  Random r(5, 4);
  r.old_logp = {-1000, 0, -1000, 0};
  r.logp = {0, -1000, 0, -1000};
  r.adv = {1, 1, -1, -1};
  r.weight = {1, 1, 1, 1};
  EXPECT_TRUE(std::isfinite(r.loss()));
  for (const float g : r.grad) EXPECT_EQ(g, 0.0f);
}

}  // namespace
