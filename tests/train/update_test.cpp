// Scoring and gradients: the numbers that a step of training rests on.

#include "core/train/update.h"

#include <ATen/ops/minimum.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/host/host_fixture.h"
#include "tests/host/options.h"
#include "tests/model/model_fixture.h"
#include "tests/model/reference_model.h"

namespace qed {
namespace {

constexpr std::int64_t kWhole = 1 << 20;  // micro_tokens: no cut

// |a - b| / |b|, in the L2 norm.
double relative_distance(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  return ((x - y).norm() / y.norm()).item<double>();
}

class Update : public testing::Test {
 protected:
  Update() {
    randomise(model_.weights(), 21);
    Rng rng(22);
    for (std::uint64_t g = 0; g < 5; ++g) {
      GenerateRequest& request = requests_.emplace_back();
      for (std::uint64_t t = 0; t <= 2 * g; ++t) {
        request.prompt.push_back(static_cast<std::int32_t>(rng.integer(0, 20)));
      }
      for (std::uint64_t s = 0; s < 4; ++s) request.samples.push_back({&plan_, 10 * g + s});
      request.max_new_tokens = 20;
    }
  }

  // Completions drawn by `plan`, with a reward each; groups 0 to 4 of four.
  Experience experience(const DrawPlan& plan) {
    plan_ = plan;
    const std::vector<std::int32_t> stop = {1};
    completions_ = generate(model_, requests_, {.stop_ids = stop, .schedule = {.max_batch = 64}});
    reward_.clear();
    for (int i = 0; i < 20; ++i) reward_.push_back(i % 3 == 0 ? 1 : 0.1 * (i % 4));
    Experience e = make_experience(requests_, completions_, reward_);
    score(model_, e, kWhole);
    return e;
  }

  // Advantages of grpo; old_logp moved so that some ratios leave the clip range.
  Experience trained_on() {
    Experience e = experience(DrawPlan::at_temperature(0.9));
    std::vector<std::size_t> all = rows(e);
    const BatchView batch(e, all, 1);
    qed_advantage out{};
    out.size = sizeof out;
    out.adv = {e.adv.data(), e.adv.size()};
    out.keep = {e.keep.data(), e.keep.size()};
    MetricSums metrics;
    grpo_.advantage(batch.abi(), out, metrics, 0);
    Rng rng(23);
    for (float& x : e.old_logp) x += static_cast<float>(rng.real() - 0.5);
    return e;
  }

  static std::vector<std::size_t> rows(const Experience& e) {
    std::vector<std::size_t> all(e.num_seqs());
    std::iota(all.begin(), all.end(), 0);
    return all;
  }

  at::Tensor gradient(const Experience& e, const std::vector<std::size_t>& rows,
                      std::int64_t micro_tokens = kWhole) {
    model_.weights().grad().zero_();
    MetricSums metrics;
    result_ = policy_gradient(model_, grpo_, e, rows, 1, micro_tokens, 0, metrics);
    return model_.weights().grad().clone();
  }

  PluginHost host_{{product_plugins()}};
  Algorithm grpo_{host_.load("algorithm", "grpo"),
                  options_with(host_.load("algorithm", "grpo").spec, {{"clip_high", 0.28}}),
                  host_.abi()};
  Transformer model_{tiny_config()};
  DrawPlan plan_ = DrawPlan::at_temperature(1);
  std::vector<GenerateRequest> requests_;
  std::vector<std::vector<Completion>> completions_;
  std::vector<double> reward_;
  PolicyGradient result_;
};

// ---- score ----

TEST_F(Update, BehaviorLogpIsToTheBitWhatTheTrainingForwardGives) {
  const std::vector<SampleOp> plans[] = {
      {},
      {{QED_OP_TEMPERATURE, 0.7f}},
      {{QED_OP_TEMPERATURE, 0.7f}, {QED_OP_TOP_K, 5}},
      {{QED_OP_TEMPERATURE, 1.4f}, {QED_OP_TOP_P, 0.8f}},
      {{QED_OP_TEMPERATURE, 0.9f}, {QED_OP_TOP_K, 9}, {QED_OP_TOP_P, 0.9f}},
  };
  for (const auto& ops : plans) {
    Experience e = experience(DrawPlan(ops, 7));
    EXPECT_GT(e.num_tokens(), 100u);
    EXPECT_EQ(e.old_logp, e.behavior_logp);
    const std::vector<float> entropy = e.entropy;
    for (const std::int64_t micro_tokens : {1, 50}) {
      score(model_, e, micro_tokens);
      EXPECT_EQ(e.old_logp, e.behavior_logp) << micro_tokens;
      EXPECT_EQ(e.entropy, entropy) << micro_tokens;
    }
  }
}

TEST_F(Update, ScoreLeavesTheGradientAlone) {
  experience(DrawPlan::at_temperature(1));
  EXPECT_EQ(at::abs(model_.weights().grad()).max().item<float>(), 0);
}

// ---- demonstrations ----

TEST_F(Update, DemonstrationGradientIsThatOfTheMeanNegativeLogLikelihood) {
  const Experience e = experience(DrawPlan::at_temperature(1));
  const double loss = demonstration_gradient(model_, e.sequences, kWhole);
  double expected = 0;
  for (const float x : e.old_logp) expected -= x / static_cast<double>(e.num_tokens());
  EXPECT_NEAR(loss, expected, 1e-6 * expected);

  const at::Tensor whole = model_.weights().grad().clone();
  NamedTensors w = named_tensors(model_.weights(), model_.weights().flat());
  for (auto& [name, t] : w) t.set_requires_grad(true);
  const Packed p = pack(e.sequences);
  const at::Tensor h =
      at::index_select(plain_forward(w, model_.config(), p.id, p.position, p.offset), 0, p.row);
  (-reference::token_logp(h, lm_head(w), p.target, p.inv_temperature, *p.support).logp.mean())
      .backward();
  for (const auto& [name, grad] : named_tensors(model_.weights(), whole)) {
    EXPECT_NEAR((grad - w[name].grad()).abs().max().item<double>(), 0,
                1e-5 * at::abs(whole).max().item<double>())
        << name;
  }

  for (const std::int64_t micro_tokens : {1, 40, 111}) {
    model_.weights().grad().zero_();
    EXPECT_NEAR(demonstration_gradient(model_, e.sequences, micro_tokens), loss, 1e-6 * loss);
    EXPECT_LE(relative_distance(model_.weights().grad(), whole), 1e-6) << micro_tokens;
  }
}

// ---- policy gradient ----

TEST_F(Update, PolicyGradientIsThatOfAPlainGrpoLoss) {
  const Experience e = trained_on();
  const std::vector<std::size_t> some = {0, 1, 2, 5, 6, 11, 13, 17, 18, 19};
  const at::Tensor grad = gradient(e, some);

  NamedTensors w = named_tensors(model_.weights(), model_.weights().flat());
  for (auto& [name, t] : w) t.set_requires_grad(true);
  at::Tensor loss = at::full({}, 0.0, at::kDouble);
  double num_tokens = 0, num_clipped = 0;
  for (const std::size_t b : some) {
    const Packed p = pack(std::span(e.sequences).subspan(b, 1));
    const at::Tensor h =
        at::index_select(plain_forward(w, model_.config(), p.id, p.position, p.offset), 0, p.row);
    const at::Tensor logp =
        reference::token_logp(h, lm_head(w), p.target, p.inv_temperature, *p.support).logp;
    at::Tensor old = at::empty_like(logp), adv = at::empty_like(logp);
    for (std::int64_t t = 0; t < logp.numel(); ++t) {
      old.data_ptr<double>()[t] = e.old_logp[e.offset[b] + t];
      adv.data_ptr<double>()[t] = e.adv[e.offset[b] + t];
    }
    const at::Tensor ratio = at::exp(logp - old), clipped = ratio.clamp(1 - 0.2, 1 + 0.28);
    loss = loss - at::minimum(adv * ratio, adv * clipped).sum();
    num_clipped += (adv * clipped < adv * ratio).sum().item<double>();
    num_tokens += static_cast<double>(logp.numel());
  }
  loss = loss / num_tokens;
  loss.backward();
  EXPECT_GT(num_clipped, 5);

  EXPECT_TRUE(result_.has_signal);
  EXPECT_NEAR(result_.loss, loss.item<double>(), 1e-5);
  const double largest = at::abs(grad).max().item<double>();
  for (const auto& [name, g] : named_tensors(model_.weights(), grad)) {
    EXPECT_LE((g - w[name].grad()).abs().max().item<double>(), 1e-5 * largest) << name;
  }
}

TEST_F(Update, PolicyGradientDoesNotDependOnTheMicroBatchCut) {
  const Experience e = trained_on();
  const at::Tensor whole = gradient(e, rows(e));
  const double loss = result_.loss;
  for (const std::int64_t micro_tokens : {1, 40, 111}) {
    EXPECT_LE(relative_distance(gradient(e, rows(e), micro_tokens), whole), 1e-6) << micro_tokens;
    EXPECT_NEAR(result_.loss, loss, 1e-9);
  }
}

TEST_F(Update, PolicyGradientAddsToWhatIsThere) {
  const Experience e = trained_on();
  const at::Tensor once = gradient(e, rows(e));
  MetricSums metrics;
  policy_gradient(model_, grpo_, e, rows(e), 1, kWhole, 0, metrics);
  EXPECT_TRUE(is_close(model_.weights().grad(), 2 * once, 1e-6));
}

TEST_F(Update, WithoutAnyAdvantageThereIsNoGradientAndNoSignal) {
  Experience e = trained_on();
  std::fill(e.adv.begin(), e.adv.end(), 0.0f);
  EXPECT_EQ(at::abs(gradient(e, rows(e))).max().item<float>(), 0);
  EXPECT_FALSE(result_.has_signal);
  EXPECT_EQ(result_.loss, 0);
  EXPECT_EQ(at::abs(gradient(e, {})).max().item<float>(), 0);
  EXPECT_FALSE(result_.has_signal);
}

TEST_F(Update, SequencesWithoutAnAdvantageCostNothingButCountInTheMean) {
  Experience e = trained_on();
  for (const std::size_t b : {2, 3}) {
    std::fill(e.adv.begin() + e.offset[b], e.adv.begin() + e.offset[b + 1], 0.0f);
  }
  const auto num_tokens = [&](std::size_t begin, std::size_t end) {
    return static_cast<double>(e.offset[end] - e.offset[begin]);
  };
  const at::Tensor four = gradient(e, {0, 1, 2, 3}), two = gradient(e, {0, 1});
  EXPECT_TRUE(is_close(four * (num_tokens(0, 4) / num_tokens(0, 2)), two, 1e-6));
}

TEST_F(Update, InvalidAndDroppedSequencesLeaveTheMeanAndTheGradient) {
  Experience e = trained_on();
  const at::Tensor without = gradient(e, {4, 6, 9});
  const double loss = result_.loss;
  e.valid[5] = 0;
  e.keep[8] = 0;
  EXPECT_TRUE(same_bits(gradient(e, {4, 5, 6, 8, 9}), without));
  EXPECT_EQ(result_.loss, loss);
}

TEST_F(Update, MetricsOfTheAlgorithmAreCountedOverAllMicroBatches) {
  const Experience e = trained_on();
  MetricSums whole, cut;
  policy_gradient(model_, grpo_, e, rows(e), 1, kWhole, 0, whole);
  policy_gradient(model_, grpo_, e, rows(e), 1, 30, 0, cut);
  ASSERT_TRUE(whole.contains("actor/pg_clipfrac"));
  EXPECT_EQ(whole["actor/pg_clipfrac"], cut["actor/pg_clipfrac"]);
  EXPECT_EQ(whole["actor/ppo_kl"].second, cut["actor/ppo_kl"].second);
}

// ---- experience ----

TEST_F(Update, ARewardThatIsNotFiniteMakesItsSequenceInvalid) {
  experience(DrawPlan::at_temperature(1));
  reward_[7] = NAN;
  const Experience e = make_experience(requests_, completions_, reward_);
  ASSERT_EQ(e.num_seqs(), 20u);
  EXPECT_EQ(e.offset.back(), e.num_tokens());
  EXPECT_EQ(e.mask.size(), e.num_tokens());
  for (std::size_t b = 0; b < 20; ++b) {
    EXPECT_EQ(e.group[b], b / 4);
    EXPECT_EQ(e.valid[b], b == 7 ? 0 : 1);
    EXPECT_EQ(e.reward[b], b == 7 ? 0.0f : static_cast<float>(reward_[b]));
    EXPECT_EQ(e.offset[b + 1] - e.offset[b], completions_[b / 4][b % 4].tokens.size());
  }
}

TEST_F(Update, AViewHoldsItsRowsOnly) {
  const Experience e = trained_on();
  const std::vector<std::size_t> some = {1, 4, 19};
  const BatchView view(e, some, 9);
  const qed_batch& abi = view.abi();
  EXPECT_EQ(abi.size, sizeof(qed_batch));
  EXPECT_EQ(abi.step, 9u);
  ASSERT_EQ(abi.group.n, 3u);
  ASSERT_EQ(abi.offset.n, 4u);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t b = some[i], n = e.offset[b + 1] - e.offset[b];
    ASSERT_EQ(abi.offset.p[i + 1] - abi.offset.p[i], n);
    EXPECT_EQ(abi.group.p[i], e.group[b]);
    EXPECT_EQ(abi.reward.p[i], e.reward[b]);
    for (std::size_t t = 0; t < n; ++t) {
      EXPECT_EQ(abi.old_logp.p[abi.offset.p[i] + t], e.old_logp[e.offset[b] + t]);
      EXPECT_EQ(abi.behavior_logp.p[abi.offset.p[i] + t], e.behavior_logp[e.offset[b] + t]);
      EXPECT_EQ(view.adv()[abi.offset.p[i] + t], e.adv[e.offset[b] + t]);
    }
  }
  EXPECT_EQ(abi.mask.n, view.num_tokens());
}

}  // namespace
}  // namespace qed
