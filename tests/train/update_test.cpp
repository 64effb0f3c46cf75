// Scoring, demonstrations and experience: the numbers that a step of training rests on.

#include "core/train/update.h"

#include "tests/train/update_fixture.h"

namespace qed {
namespace {

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
