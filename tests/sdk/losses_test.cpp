#include "qed/losses.h"

#include "batch.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <vector>

namespace {

qed::Batch view(const Owned& batch) { return qed::view(batch.abi()); }

constexpr float kStep = 1.0f / 4096;  // of the grid on which all inputs lie: no rounding
const qed::Clip kClip{.low = 0.2, .high = 0.28};
const qed::Clip kDual{.low = 0.2, .high = 0.28, .dual = 1.5};

// A random batch of sequences and what a loss sees of it, arithmetic on a grid that float32 and the
// finite differences share.
struct Random {
  explicit Random(std::uint64_t seed, double spread = 0.8) {
    qed::Rng rng(seed);
    for (std::uint64_t b = 0; b < 8; ++b) {
      batch.add(b / 4, 0, static_cast<std::size_t>(rng.integer(1, 9)));
    }
    for (std::size_t t = 0; t < batch.mask.size(); ++t) {
      batch.mask[t] = t % 7 == 2 ? 0 : 1;
      batch.old_logp[t] = grid(rng, -4, 0);
      batch.value[t] = grid(rng, -1, 1);
      logp.push_back(batch.old_logp[t] + grid(rng, -spread, spread));
      value.push_back(batch.value[t] + grid(rng, -1, 1));
      ret.push_back(grid(rng, -1, 1));
      adv.push_back(grid(rng, -2, 2));
      weight.push_back(t % 7 == 2 ? 0 : grid(rng, 0.01, 0.5));
    }
    grad.resize(logp.size());
    grad_value.resize(logp.size());
  }

  qed::LossArgs args() {
    std::fill(grad.begin(), grad.end(), 0.0f);
    std::fill(grad_value.begin(), grad_value.end(), 0.0f);
    qed::LossArgs a{};
    a.adv = adv, a.ret = ret, a.logp = logp, a.weight = weight, a.grad_logp = grad;
    a.value = value, a.grad_value = grad_value, a.metrics = &sink;
    return a;
  }

  static void add(qed_metrics* self, qed_str name, double sum, double count) {
    auto& at = static_cast<Random*>(self->host)->metrics[std::string(qed::view(name))];
    at.first += sum, at.second += count;
  }

  double clipped(const qed::Clip& clip = kClip) {
    auto a = args();
    return qed::clipped_policy_loss(view(batch), a, clip);
  }
  double sequence(qed::SequenceRatio ratio, const qed::Clip& clip, qed::SequenceGradient gradient) {
    auto a = args();
    return qed::clipped_sequence_loss(view(batch), a, clip, ratio, gradient);
  }
  double policy_gradient() {
    auto a = args();
    return qed::policy_gradient_loss(view(batch), a);
  }
  double value_loss(double clip) {
    auto a = args();
    qed::clipped_value_loss(view(batch), a, clip);
    return a.value_loss;
  }

  Owned batch;
  std::vector<float> logp, value, ret, adv, weight, grad, grad_value;
  std::map<std::string, std::pair<double, double>> metrics;
  qed_metrics sink{sizeof(qed_metrics), 0, this, &add};
};

// The gradient in `grad` against finite differences of `loss` in double, with respect to every
// input[t] away from the kinks: where the second difference is large the step crossed one.
template <class Loss>
int expect_finite_differences(std::uint64_t seed, double spread, std::vector<float> Random::*input,
                              std::vector<float> Random::*grad, Loss&& loss) {
  Random r(seed, spread);
  const double middle = loss(r);
  const std::vector<float> analytic = r.*grad;
  int used = 0;
  for (std::size_t t = 0; t < analytic.size(); ++t) {
    float& x = (r.*input)[t];
    x += kStep;
    const double plus = loss(r);
    x -= 2 * kStep;
    const double minus = loss(r);
    x += kStep;
    if (std::abs(plus - 2 * middle + minus) > 2e-6) continue;
    ++used;
    EXPECT_NEAR(analytic[t], (plus - minus) / (2 * kStep), 1e-6)
        << "seed " << seed << ", token " << t;
  }
  return used;
}

// ---- PPO's surrogate, per token ----

TEST(ClippedPolicyLoss, GradientIsThatOfFiniteDifferences) {
  int used = 0, zero = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (const qed::Clip& clip : {kClip, kDual}) {
      used += expect_finite_differences(seed, 0.8, &Random::logp, &Random::grad,
                                        [&](Random& r) { return r.clipped(clip); });
    }
    Random r(seed);
    r.clipped();
    for (const float g : r.grad) zero += g == 0 ? 1 : 0;
  }
  EXPECT_GT(used, 2000);
  EXPECT_GT(zero, 100);
}

TEST(ClippedPolicyLoss, EveryBoundStopsTheGradient) {
  Random r(0);
  const float ratio[] = {0.5f, 1.5f, 0.5f, 1.25f, 1.75f};
  const float adv[] = {-1, 1, 1, -1, -1};
  for (std::size_t t = 0; t < 5; ++t) {
    const qed::Surrogate s = qed::surrogate(adv[t], ratio[t], kDual);
    const bool is_open = t == 2 || t == 3;
    EXPECT_EQ(s.slope, is_open ? -adv[t] * ratio[t] : 0.0);
    EXPECT_EQ(s.is_clipped, t < 2);
    EXPECT_EQ(s.is_dual_clipped, t == 4);
  }
  EXPECT_EQ(qed::surrogate(-1, 0.5, kDual).loss, 0.8);
  EXPECT_EQ(qed::surrogate(1, 1.5, kDual).loss, -1.28);
  EXPECT_EQ(qed::surrogate(-1, 1.75, kDual).loss, 1.5);
  EXPECT_EQ(qed::surrogate(-1, 1.75, kClip).loss, 1.75);
}

TEST(ClippedPolicyLoss, OnPolicyItIsMinusWeightTimesAdvantage) {
  Random r(1);
  r.logp = r.batch.old_logp;
  double expected = 0;
  for (std::size_t t = 0; t < r.adv.size(); ++t) expected -= double{r.weight[t]} * r.adv[t];
  EXPECT_DOUBLE_EQ(r.clipped(), expected);
  for (std::size_t t = 0; t < r.adv.size(); ++t) {
    EXPECT_EQ(r.grad[t], static_cast<float>(-double{r.weight[t]} * r.adv[t]));
  }
  EXPECT_EQ(r.metrics["actor/pg_clipfrac"].first, 0.0);
  EXPECT_EQ(r.metrics["actor/ppo_kl"].first, 0.0);
  EXPECT_FALSE(r.metrics.contains("actor/pg_clipfrac_lower"));
}

TEST(ClippedPolicyLoss, HugeRatiosStayFinite) {
  Random r(5);
  for (std::size_t t = 0; t < r.logp.size(); ++t) {
    r.batch.old_logp[t] = t % 2 == 0 ? -1000.0f : 0.0f;
    r.logp[t] = t % 2 == 0 ? 0.0f : -1000.0f;
  }
  EXPECT_TRUE(std::isfinite(r.clipped()));
  for (const float g : r.grad) EXPECT_EQ(g, 0.0f);
}

TEST(ClippedPolicyLoss, WithoutABoundOnTheLogRatioLargeOnesCount) {
  Random r(6);
  r.logp.assign(r.logp.size(), 0);
  r.batch.old_logp.assign(r.logp.size(), -30);
  r.adv.assign(r.logp.size(), -1);
  r.clipped({.max_log_ratio = 0});
  EXPECT_FLOAT_EQ(r.grad[0], static_cast<float>(r.weight[0] * std::exp(30.0)));
}

TEST(Clip, ADualClipOfAtMostOneIsRefused) {
  EXPECT_NO_THROW(qed::Clip{}.check());
  EXPECT_NO_THROW(kDual.check());
  EXPECT_THROW(qed::Clip{.dual = 1}.check(), qed::Error);
}

// ---- the same with one ratio per sequence ----

TEST(ClippedSequenceLoss, GradientIsThatOfFiniteDifferences) {
  int used = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (const auto ratio : {qed::SequenceRatio::kMean, qed::SequenceRatio::kSum}) {
      used += expect_finite_differences(seed, 0.3, &Random::logp, &Random::grad, [&](Random& r) {
        return r.sequence(ratio, kDual, qed::SequenceGradient::kExact);
      });
    }
  }
  EXPECT_GT(used, 1500);
}

TEST(ClippedSequenceLoss, BothGradientsAreEqualWhereAdvantageAndWeightAreConstant) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Random r(seed, 0.3);
    for (std::size_t b = 0; b < r.batch.group.size(); ++b) {
      for (auto t = r.batch.offset[b]; t < r.batch.offset[b + 1]; ++t) {
        r.adv[t] = b % 2 == 0 ? 1.0f : -0.5f;
        if (r.weight[t] != 0) r.weight[t] = 0.125f;
      }
    }
    const auto mean = qed::SequenceRatio::kMean;
    const double exact = r.sequence(mean, kClip, qed::SequenceGradient::kExact);
    const auto grad = r.grad;
    EXPECT_EQ(r.sequence(mean, kClip, qed::SequenceGradient::kToken), exact);
    for (std::size_t t = 0; t < grad.size(); ++t) EXPECT_NEAR(r.grad[t], grad[t], 1e-7);
  }
}

TEST(ClippedSequenceLoss, OfSequencesOfOneTokenIsThatOfTokens) {
  Random r(7);
  r.batch.offset = {0};
  r.batch.group.clear();
  for (std::size_t t = 0; t < r.logp.size(); ++t) {
    r.batch.offset.push_back(t + 1), r.batch.group.push_back(t);
    r.batch.valid.push_back(1);
  }
  const double tokens = r.clipped();
  const auto grad = r.grad;
  for (const auto ratio : {qed::SequenceRatio::kMean, qed::SequenceRatio::kSum}) {
    EXPECT_EQ(r.sequence(ratio, kClip, qed::SequenceGradient::kExact), tokens);
    EXPECT_EQ(r.grad, grad);
  }
}

// ---- REINFORCE and the critic ----

TEST(PolicyGradientLoss, GradientIsThatOfFiniteDifferences) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    EXPECT_GT(expect_finite_differences(seed, 0.8, &Random::logp, &Random::grad,
                                        [](Random& r) { return r.policy_gradient(); }),
              20);
  }
}

TEST(ClippedValueLoss, GradientIsThatOfFiniteDifferences) {
  int used = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (const double clip : {0.0, 0.25, 0.5}) {
      used += expect_finite_differences(seed, 0.8, &Random::value, &Random::grad_value,
                                        [&](Random& r) { return r.value_loss(clip); });
    }
  }
  EXPECT_GT(used, 2000);
}

TEST(ClippedValueLoss, AMoveBeyondTheClipGainsNothing) {
  Random r(8);
  r.batch.value.assign(r.value.size(), 0);
  r.value.assign(r.value.size(), 1);  // moved by 1, clip 0.5
  r.ret.assign(r.value.size(), 1);
  r.weight.assign(r.value.size(), 1);
  EXPECT_DOUBLE_EQ(r.value_loss(0.5), 0.125 * static_cast<double>(r.value.size()));
  for (const float g : r.grad_value) EXPECT_EQ(g, 0.0f);
  EXPECT_EQ(r.metrics["critic/vf_clipfrac"].first, static_cast<double>(r.value.size()));
  EXPECT_EQ(r.value_loss(0), 0.0);
}

// ---- laws of all of them ----

using Loss = std::function<double(Random&)>;

std::map<std::string, Loss> all_losses() {
  return {
      {"clipped", [](Random& r) { return r.clipped(); }},
      {"dual clipped", [](Random& r) { return r.clipped(kDual); }},
      {"mean ratio",
       [](Random& r) {
         return r.sequence(qed::SequenceRatio::kMean, kClip, qed::SequenceGradient::kExact);
       }},
      {"mean ratio, token gradient",
       [](Random& r) {
         return r.sequence(qed::SequenceRatio::kMean, kClip, qed::SequenceGradient::kToken);
       }},
      {"sum ratio",
       [](Random& r) {
         return r.sequence(qed::SequenceRatio::kSum, kClip, qed::SequenceGradient::kExact);
       }},
      {"policy gradient", [](Random& r) { return r.policy_gradient(); }},
  };
}

TEST(AllLosses, WithoutAnAdvantageThereIsNoLossAndNoGradient) {
  for (const auto& [name, loss] : all_losses()) {
    SCOPED_TRACE(name);
    Random r(2);
    r.adv.assign(r.adv.size(), 0);
    EXPECT_EQ(loss(r), 0.0);
    for (const float g : r.grad) EXPECT_EQ(g, 0.0f);
  }
}

TEST(AllLosses, TokensOfTheEnvironmentMayHoldAnything) {
  for (const auto& [name, loss] : all_losses()) {
    SCOPED_TRACE(name);
    Random r(3), clean(3);
    for (std::size_t t = 0; t < r.adv.size(); ++t) {
      if (r.batch.mask[t] == 0) r.logp[t] = r.adv[t] = r.batch.old_logp[t] = NAN;
    }
    EXPECT_EQ(loss(r), loss(clean));
    EXPECT_EQ(r.grad, clean.grad);
    EXPECT_EQ(r.metrics, clean.metrics);
  }
}

// The sequences [begin, end) of r alone.
void cut(Random& r, std::size_t begin, std::size_t end) {
  const auto first = static_cast<std::ptrdiff_t>(r.batch.offset[begin]);
  const auto last = static_cast<std::ptrdiff_t>(r.batch.offset[end]);
  for (auto* v : {&r.logp, &r.adv, &r.weight, &r.grad, &r.batch.old_logp, &r.batch.value}) {
    *v = std::vector<float>(v->begin() + first, v->begin() + last);
  }
  const std::vector<std::uint8_t> mask(r.batch.mask.begin() + first, r.batch.mask.begin() + last);
  Owned part;
  for (auto b = begin; b < end; ++b) {
    part.add(r.batch.group[b], 0, r.batch.offset[b + 1] - r.batch.offset[b]);
  }
  part.mask = mask, part.old_logp = r.batch.old_logp;
  r.batch = std::move(part);
}

TEST(AllLosses, SplittingABatchChangesNothing) {
  for (const auto& [name, loss] : all_losses()) {
    SCOPED_TRACE(name);
    Random whole(4), first(4), second(4);
    cut(first, 0, 3);
    cut(second, 3, 8);
    const double parts = loss(first) + loss(second);
    EXPECT_NEAR(loss(whole), parts, 1e-12);  // only the order of the additions differs
    first.grad.insert(first.grad.end(), second.grad.begin(), second.grad.end());
    EXPECT_EQ(first.grad, whole.grad);
  }
}

TEST(AllLosses, ScaleWithTheirWeights) {
  for (const auto& [name, loss] : all_losses()) {
    SCOPED_TRACE(name);
    Random one(5), two(5);
    for (float& w : two.weight) w *= 2;
    EXPECT_NEAR(loss(two), 2 * loss(one), 1e-12);
    for (std::size_t t = 0; t < one.grad.size(); ++t) EXPECT_FLOAT_EQ(two.grad[t], 2 * one.grad[t]);
  }
}

}  // namespace
