// Training in bfloat16: float32 weights, and the rounded copy of them that generates and learns.

#include <ATen/ops/equal.h>

#include "core/train/critic.h"
#include "core/train/optimizer.h"
#include "core/train/reference.h"
#include "core/util/half.h"
#include "tests/train/update_fixture.h"

namespace qed {
namespace {

// The fixture's model is one in float32 whose numbers are all bfloat16; half_ is the other kind.
class Bfloat16 : public Update {
 protected:
  Bfloat16() {
    exact_ = model_.weights().flat().clone();
    float* w = model_.weights().flat().data_ptr<float>();
    for (std::int64_t i = 0; i < exact_.numel(); ++i) w[i] = from_bfloat16(to_bfloat16(w[i]));
    half_.weights().flat().copy_(exact_);
    half_.weights().sync();
  }

  Experience drawn_by_half(const DrawPlan& plan) {
    plan_ = plan;
    const std::vector<std::int32_t> stop = {1};
    completions_ = generate(half_, requests_, {.stop_ids = stop, .schedule = {.max_batch = 64}});
    reward_.assign(20, 0);
    for (std::size_t i = 0; i < reward_.size(); i += 3) reward_[i] = 1;
    Experience e = make_experience(requests_, completions_, reward_);
    MetricSums metrics;
    compute_advantages(grpo_, e, 1, 0, metrics);
    return e;
  }

  PolicyGradient learn(Transformer& model, const Experience& e) {
    model.weights().grad().zero_();
    return policy_gradient(model, grpo_, e, rows(e), options_, metrics_);
  }

  at::Tensor exact_;
  Transformer half_{tiny_config(), {.dtype = Dtype::kBfloat16}};
};

TEST_F(Bfloat16, TheGradientIsToTheBitThatOfAFloat32ModelWithTheRoundedWeights) {
  options_.entropy_coef = 0.1;
  for (const bool recompute : {false, true}) {
    options_.recompute = recompute;
    const Experience e = drawn_by_half(DrawPlan::at_temperature(0.9));
    learn(half_, e);
    learn(model_, e);
    EXPECT_TRUE(at::equal(half_.weights().grad(), model_.weights().grad()));
    EXPECT_GT(at::abs(half_.weights().grad()).max().item<float>(), 0);
  }
}

// Weights are off by 2^-9 of their size at most, so the gradient is by little more.
TEST_F(Bfloat16, TheGradientIsWithinThreePercentOfTheFloat32Models) {
  const Experience e = drawn_by_half(DrawPlan::at_temperature(0.9));
  learn(half_, e);
  model_.weights().flat().copy_(exact_);
  learn(model_, e);
  const double distance = relative_distance(half_.weights().grad(), model_.weights().grad());
  RecordProperty("distance", std::to_string(distance));
  EXPECT_LT(distance, 0.03);
  EXPECT_GT(distance, 1e-4);
}

TEST_F(Bfloat16, BeforeTheFirstUpdateTheRatioIsExactlyOneForEverySampler) {
  const DrawPlan plans[] = {
      DrawPlan::at_temperature(0.7), DrawPlan({{QED_OP_TEMPERATURE, 0.9f}, {QED_OP_TOP_K, 5}}, 16),
      DrawPlan({{QED_OP_TOP_P, 0.8f}}, 16), DrawPlan({{QED_OP_REPETITION, 1.3f}}, 16)};
  for (const DrawPlan& plan : plans) {
    const PolicyGradient found = learn(half_, drawn_by_half(plan));
    EXPECT_EQ(found.max_abs_mismatch, 0);
    EXPECT_EQ(found.max_ratio, 1);
  }
}

TEST_F(Bfloat16, BeforeTheFirstUpdateTheRatioIsExactlyOneUnderAMaskAndBans) {
  PluginHost plugins{{test_plugins()}};
  const Sampler thirds(plugins.load("sampler", "thirds"), "{}", plugins.abi());
  qed_request request{};
  request.group_size = 1;
  request.vocab_size = 21;
  plan_ = plan_group(thirds, request, {}, 64).front();
  const std::vector<std::int32_t> stop = {1};
  for (Transformer* model : {&model_, &half_}) {
    completions_ = generate(*model, requests_, {.stop_ids = stop, .mask = &thirds});
    reward_.assign(20, 1);
    Experience e = make_experience(requests_, completions_, reward_);
    std::fill(e.adv.begin(), e.adv.end(), 1.0f);
    const PolicyGradient found = learn(*model, e);
    EXPECT_EQ(found.max_abs_mismatch, 0);
    EXPECT_EQ(found.max_ratio, 1);
    EXPECT_GT(at::abs(model->weights().grad()).max().item<float>(), 0);
    for (const Sequence& s : e.sequences) {
      for (std::size_t t = 0; t < s.completion.size(); ++t) {
        EXPECT_NE(s.completion[t], 5);
        EXPECT_NE(s.completion[t] % 3, static_cast<std::int32_t>(t % 3));
      }
    }
  }
}

TEST_F(Bfloat16, AStepIsThatOfFloat32AndTheCopyFollows) {
  Transformer full(tiny_config());
  full.weights().flat().copy_(exact_);
  AdamW of_half(half_.weights()), of_full(full.weights());
  const at::Tensor before = half_.weights().lm_head.detach().clone();
  Rng rng(3);
  for (int step = 0; step < 200; ++step) {  // each too small for bfloat16 to show
    for (std::int64_t i = 0; i < exact_.numel(); ++i) {
      const auto g = static_cast<float>(rng.real() - 0.4);
      half_.weights().grad().data_ptr<float>()[i] = full.weights().grad().data_ptr<float>()[i] = g;
    }
    of_half.step({}, 1e-5);
    of_full.step({}, 1e-5);
  }
  EXPECT_TRUE(at::equal(half_.weights().flat(), full.weights().flat()));
  EXPECT_FALSE(at::equal(half_.weights().lm_head, before));
  full.weights().flat().copy_(full.weights().flat().to(at::kBFloat16));
  for (std::size_t i = 0; i < 2; ++i) {
    const LayerWeights &a = half_.weights().layers[i], &b = full.weights().layers[i];
    EXPECT_TRUE(at::equal(a.down.to(at::kFloat), b.down));
    EXPECT_TRUE(at::equal(a.post_norm, b.post_norm));
  }
}

TEST_F(Bfloat16, TheReferenceIsWhatThePolicyIsToTheBit) {
  const Experience e = drawn_by_half(DrawPlan::at_temperature(1));
  EXPECT_EQ(Reference(half_).logp(e, kWhole), e.behavior_logp);
}

TEST_F(Bfloat16, ACriticBeginsAsThePolicyInTheSameFormat) {
  const Experience e = drawn_by_half(DrawPlan::at_temperature(1));
  Critic critic(half_);
  EXPECT_TRUE(critic.model().weights().is_rounded());
  EXPECT_TRUE(at::equal(critic.model().weights().layers[1].qkv, half_.weights().layers[1].qkv));
  EXPECT_THAT(critic.values(e, kWhole), testing::Each(0.0f));
}

}  // namespace
}  // namespace qed
