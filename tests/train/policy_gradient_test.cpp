// The gradient of an update: against a plain loss in float64, and whatever the micro-batches.

#include "core/train/policy_gradient.h"

#include <ATen/ops/minimum.h>

#include "tests/train/update_fixture.h"

namespace qed {
namespace {

constexpr double kKlCoef = 0.3, kEntropyCoef = 0.2, kNllCoef = 0.4;

class PolicyGradients : public Update {
 protected:
  // Advantages, a reference near the policy, and every term in the loss.
  Experience with_all_terms() {
    Experience e = trained_on(DrawPlan({{QED_OP_TEMPERATURE, 0.9f}, {QED_OP_TOP_K, 9}}, 16));
    Rng rng(24);
    for (const float x : e.old_logp) e.ref_logp.push_back(x + static_cast<float>(rng.real() - 0.5));
    options_.kl_coef = kKlCoef;
    options_.entropy_coef = kEntropyCoef;
    options_.nll_coef = kNllCoef;
    options_.aggregation_length = 20;
    return e;
  }

  // 1 / what divides the loss of a token of sequence b.
  double weight(const Experience& e, const std::vector<std::size_t>& rows, std::size_t b) const {
    double num_tokens = 0;
    for (const std::size_t r : rows) num_tokens += e.num_written(r);
    const auto num_seqs = static_cast<double>(rows.size());
    if (options_.aggregation == "token-mean") return 1 / num_tokens;
    if (options_.aggregation == "seq-mean-token-mean") return 1 / num_seqs / e.num_written(b);
    if (options_.aggregation == "seq-mean-token-sum") return 1 / num_seqs;
    return 1 / (num_seqs * options_.aggregation_length);
  }

  // The loss as the papers write it, in float64; `policy` becomes its part that is the algorithm's.
  at::Tensor plain_loss(NamedTensors& w, const Experience& e, const std::vector<std::size_t>& rows,
                        double& policy) {
    at::Tensor loss = at::full({}, 0.0, at::kDouble);
    double num_positive = 0;
    for (const std::size_t b : rows) num_positive += e.reward[b] > 0 ? e.num_written(b) : 0;
    for (const std::size_t b : rows) {
      const Packed p = pack(std::span(e.sequences).subspan(b, 1));
      const at::Tensor h =
          at::index_select(plain_forward(w, model_.config(), p.id, p.position, p.offset), 0, p.row);
      const auto now =
          reference::token_logp(h, lm_head(w), p.target, p.inv_temperature, *p.support);
      const auto column = [&](const std::vector<float>& all) {
        at::Tensor t = at::empty_like(now.logp);
        for (std::int64_t i = 0; i < t.numel(); ++i) {
          t.data_ptr<double>()[i] = all[e.offset[b] + static_cast<std::uint64_t>(i)];
        }
        return t;
      };
      const at::Tensor adv = column(e.adv), ratio = at::exp(now.logp - column(e.old_logp));
      const at::Tensor clipped = ratio.clamp(1 - 0.2, 1 + 0.28);
      num_clipped_ += (adv * clipped < adv * ratio).sum().item<double>();
      const at::Tensor own = at::minimum(adv * ratio, adv * clipped).sum() * -weight(e, rows, b);
      policy += own.item<double>();
      loss = loss + own;
      if (options_.kl_coef != 0) {
        const at::Tensor d = now.logp - column(e.ref_logp);
        const at::Tensor kl = at::exp(-d) - 1 + d;
        loss = loss + kl.sum() * (options_.kl_coef * weight(e, rows, b));
      }
      loss = loss - now.entropy.sum() * (options_.entropy_coef * weight(e, rows, b));
      if (e.reward[b] > 0) loss = loss - now.logp.sum() * (options_.nll_coef / num_positive);
    }
    return loss;
  }

  void expect_plain(const Experience& e, const std::vector<std::size_t>& rows) {
    const at::Tensor grad = gradient(e, rows);
    NamedTensors w = named_tensors(model_.weights(), model_.weights().flat());
    for (auto& [name, t] : w) t.set_requires_grad(true);
    double policy = 0;
    plain_loss(w, e, rows, policy).backward();
    EXPECT_TRUE(result_.has_signal);
    EXPECT_NEAR(result_.loss, policy, 1e-5);
    const double largest = at::abs(grad).max().item<double>();
    for (const auto& [name, g] : named_tensors(model_.weights(), grad)) {
      EXPECT_LE((g - w[name].grad()).abs().max().item<double>(), 1e-5 * largest) << name;
    }
  }

  double num_clipped_ = 0;  // of plain_loss
};

const std::vector<std::size_t> kSome = {0, 1, 2, 5, 6, 11, 13, 17, 18, 19};
constexpr const char* kAggregations[] = {"token-mean", "seq-mean-token-mean", "seq-mean-token-sum",
                                         "constant"};

TEST_F(PolicyGradients, IsThatOfAPlainGrpoLoss) {
  expect_plain(trained_on(), kSome);
  EXPECT_GT(num_clipped_, 5);
}

TEST_F(PolicyGradients, WithEveryTermIsThatOfThePlainLossInEveryAggregation) {
  const Experience e = with_all_terms();
  for (const char* aggregation : kAggregations) {
    options_.aggregation = aggregation;
    SCOPED_TRACE(aggregation);
    expect_plain(e, kSome);
  }
}

TEST_F(PolicyGradients, AreTheSameForEverySplitIntoMicroBatches) {
  const Experience e = with_all_terms();
  for (const char* aggregation : kAggregations) {
    options_.aggregation = aggregation;
    const at::Tensor whole = gradient(e, rows(e));
    const double loss = result_.loss;
    const MetricSums metrics = metrics_;
    for (const std::int64_t micro_tokens : {1, 40, 111}) {
      EXPECT_LE(relative_distance(gradient(e, rows(e), micro_tokens), whole), 1e-6)
          << aggregation << " " << micro_tokens;
      EXPECT_NEAR(result_.loss, loss, 1e-9);
      for (const auto& [name, sum] : metrics) {
        EXPECT_NEAR(metrics_.at(name).first, sum.first, 1e-9) << name;
      }
    }
  }
}

TEST_F(PolicyGradients, AreTheSameForEveryOrderOfTheGroups) {
  const Experience e = with_all_terms();
  const at::Tensor whole = gradient(e, rows(e));
  // The same numbers, sequence by sequence, in another order.
  const std::vector<std::size_t> order = {12, 13, 14, 15, 4, 5, 6, 7, 16, 17,
                                          18, 19, 0,  1,  2, 3, 8, 9, 10, 11};
  Experience other;
  other.offset.push_back(0);
  for (const std::size_t b : order) {
    const auto take = [&](auto& to, const auto& from) {
      to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(e.offset[b]),
                from.begin() + static_cast<std::ptrdiff_t>(e.offset[b + 1]));
    };
    other.sequences.push_back(e.sequences[b]);
    other.offset.push_back(other.offset.back() + e.offset[b + 1] - e.offset[b]);
    other.group.push_back(e.group[b]);
    other.reward.push_back(e.reward[b]);
    other.valid.push_back(e.valid[b]);
    other.finish.push_back(e.finish[b]);
    other.keep.push_back(e.keep[b]);
    take(other.mask, e.mask);
    take(other.behavior_logp, e.behavior_logp);
    take(other.old_logp, e.old_logp);
    take(other.ref_logp, e.ref_logp);
    take(other.adv, e.adv);
  }
  EXPECT_LE(relative_distance(gradient(other, rows(e)), whole), 1e-6);
  EXPECT_LE(relative_distance(gradient(other, rows(e), 60), whole), 1e-6);
}

TEST_F(PolicyGradients, ATermAloneIsASignal) {
  const Experience all = with_all_terms();
  Experience e = all;
  std::fill(e.adv.begin(), e.adv.end(), 0.0f);
  options_ = {.kl_coef = kKlCoef};
  EXPECT_GT(at::abs(gradient(e, rows(e))).max().item<float>(), 0);
  EXPECT_TRUE(result_.has_signal);
  options_ = {.entropy_coef = kEntropyCoef};
  EXPECT_GT(at::abs(gradient(e, rows(e))).max().item<float>(), 0);
  EXPECT_TRUE(result_.has_signal);
  options_ = {.nll_coef = kNllCoef};
  EXPECT_GT(at::abs(gradient(e, rows(e))).max().item<float>(), 0);
  EXPECT_TRUE(result_.has_signal);
  std::fill(e.reward.begin(), e.reward.end(), 0.0f);
  gradient(e, rows(e));
  EXPECT_FALSE(result_.has_signal);
}

TEST_F(PolicyGradients, AReferenceThatIsThePolicyIsNoSignal) {
  Experience e = experience(DrawPlan::at_temperature(0.9));
  e.ref_logp = e.old_logp;
  options_.kl_coef = kKlCoef;
  EXPECT_EQ(at::abs(gradient(e, rows(e))).max().item<float>(), 0);
  EXPECT_FALSE(result_.has_signal);
  EXPECT_TRUE(result_.has_logp);
}

TEST_F(PolicyGradients, ACorrectionWeighsTheAlgorithmsTokensAndNoOtherTerm) {
  Experience e = trained_on();
  const at::Tensor whole = gradient(e, rows(e));
  e.correction.assign(e.num_tokens(), 0.5f);
  EXPECT_TRUE(is_close(gradient(e, rows(e)), whole * 0.5, 1e-6));
  e.ref_logp.assign(e.num_tokens(), -1);
  e.correction.assign(e.num_tokens(), 0);
  options_.kl_coef = kKlCoef;
  const at::Tensor kl = gradient(e, rows(e));
  std::fill(e.adv.begin(), e.adv.end(), 0.0f);
  e.correction.clear();
  EXPECT_TRUE(is_close(gradient(e, rows(e)), kl, 1e-6));
}

TEST_F(PolicyGradients, TheFirstForwardMeasuresRatioAndMismatch) {
  Experience e = experience(DrawPlan::at_temperature(0.9));
  std::fill(e.adv.begin(), e.adv.end(), 1.0f);
  gradient(e, rows(e));
  EXPECT_EQ(result_.max_abs_mismatch, 0);
  EXPECT_EQ(result_.max_ratio, 1);
  EXPECT_EQ(metrics_.at("ratio/mean").first, static_cast<double>(e.num_tokens()));
  e.behavior_logp[3] += 0.25f;
  e.old_logp[5] -= 1.0f;
  gradient(e, rows(e));
  EXPECT_NEAR(result_.max_abs_mismatch, 0.25, 1e-6);
  EXPECT_NEAR(result_.max_ratio, std::exp(1.0), 1e-5);
}

TEST_F(PolicyGradients, AddsToWhatIsThere) {
  const Experience e = trained_on();
  const at::Tensor once = gradient(e, rows(e));
  policy_gradient(model_, grpo_, e, rows(e), options_, metrics_);
  EXPECT_TRUE(is_close(model_.weights().grad(), 2 * once, 1e-6));
}

TEST_F(PolicyGradients, WithoutAnyAdvantageThereIsNoGradientAndNoSignal) {
  Experience e = trained_on();
  std::fill(e.adv.begin(), e.adv.end(), 0.0f);
  EXPECT_EQ(at::abs(gradient(e, rows(e))).max().item<float>(), 0);
  EXPECT_FALSE(result_.has_signal);
  EXPECT_EQ(result_.loss, 0);
  EXPECT_EQ(at::abs(gradient(e, {})).max().item<float>(), 0);
  EXPECT_FALSE(result_.has_signal);
}

TEST_F(PolicyGradients, SequencesWithoutAnAdvantageCostNothingButCountInTheMean) {
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

TEST_F(PolicyGradients, InvalidAndDroppedSequencesLeaveTheMeanAndTheGradient) {
  Experience e = trained_on();
  const at::Tensor without = gradient(e, {4, 6, 9});
  const double loss = result_.loss;
  e.valid[5] = 0;
  e.keep[8] = 0;
  EXPECT_TRUE(same_bits(gradient(e, {4, 5, 6, 8, 9}), without));
  EXPECT_EQ(result_.loss, loss);
}

TEST_F(PolicyGradients, MetricsOfTheAlgorithmAreCountedOverAllMicroBatches) {
  const Experience e = trained_on();
  gradient(e, rows(e));
  MetricSums whole = metrics_;
  gradient(e, rows(e), 30);
  MetricSums cut = metrics_;
  ASSERT_TRUE(whole.contains("actor/pg_clipfrac"));
  EXPECT_EQ(whole["actor/pg_clipfrac"], cut["actor/pg_clipfrac"]);
  EXPECT_EQ(whole["actor/ppo_kl"].second, cut["actor/ppo_kl"].second);
}

TEST_F(PolicyGradients, PromptsThatAreComputedOnceGiveTheGradientOfCopies) {
  const Experience e = trained_on();
  const auto logp = [&](Prompts prompts) {
    const Packed p = pack(e.sequences, prompts);
    const at::Tensor h = model_.forward(p.id, p.position, {.offset = p.offset, .prefix = p.prefix});
    return model_.token_logp(at::index_select(h, 0, p.row), p.target, p.inv_temperature, p.support)
        .logp;
  };
  const auto grad = [&](const at::Tensor& logp) {
    model_.weights().grad().zero_();
    at::Tensor d = at::empty_like(logp);
    for (std::int64_t t = 0; t < d.numel(); ++t) {
      d.data_ptr<float>()[t] = e.adv[static_cast<std::size_t>(t)];
    }
    logp.backward(d);
    return model_.weights().grad().clone();
  };
  const at::Tensor shared = logp(Prompts::kShared), copied = logp(Prompts::kCopied);
  EXPECT_TRUE(same_bits(shared, copied));
  EXPECT_LE(relative_distance(grad(shared), grad(copied)), 1e-6);
}

// Half the squared error, where no value has moved yet: its gradient is weight * (value - ret).
TEST_F(PolicyGradients, ACriticGetsTheGradientOfItsLossAndThePolicyTheRest) {
  const Algorithm ppo(host_.load("algorithm", "ppo"),
                      options_with(host_.load("algorithm", "ppo").spec, {{"clip_high", 0.28}}),
                      host_.abi());
  Critic critic(model_);
  const at::Tensor& head = critic.model().weights().lm_head;
  Rng rng(25);
  for (std::int64_t k = 0; k < head.size(1); ++k) {
    head.data_ptr<float>()[k * ops::kLanes] = static_cast<float>(rng.real() - 0.5);
  }
  Experience e = trained_on();
  e.value = critic.values(e, kWhole);
  for (std::size_t t = 0; t < e.num_tokens(); ++t) e.ret.push_back(static_cast<float>(rng.real()));
  std::fill_n(e.adv.begin(), e.offset[1], 0.0f);  // the critic learns from this one too

  const Packed packed = pack(e.sequences);
  const at::Tensor values = Critic::forward(critic.model(), packed);
  at::Tensor above = at::empty_like(values.detach());
  double loss = 0;
  for (std::size_t t = 0; t < e.num_tokens(); ++t) {
    const double error = e.value[t] - e.ret[t], n = static_cast<double>(e.num_tokens());
    above.data_ptr<float>()[t] = static_cast<float>(error / n);
    loss += 0.5 * error * error / n;
  }
  values.backward(above);
  const at::Tensor expected = critic.model().weights().grad().clone();
  const at::Tensor policy = gradient(e, rows(e));  // of grpo: the same clipped surrogate

  options_.critic = &critic;
  for (const std::int64_t micro_tokens : {kWhole, std::int64_t{60}}) {
    for (const bool critic_alone : {false, true}) {
      critic.model().weights().grad().zero_();
      model_.weights().grad().zero_();
      options_.micro_tokens = micro_tokens;
      options_.critic_alone = critic_alone;
      const PolicyGradient result = policy_gradient(model_, ppo, e, rows(e), options_, metrics_);
      EXPECT_NEAR(result.value_loss, loss, 1e-6 * loss);
      EXPECT_TRUE(result.has_signal);
      EXPECT_LE(relative_distance(critic.model().weights().grad(), expected), 1e-6);
      if (critic_alone) {
        EXPECT_EQ(at::abs(model_.weights().grad()).max().item<float>(), 0);
      } else {
        EXPECT_LE(relative_distance(model_.weights().grad(), policy), 1e-6);
      }
    }
  }
}

}  // namespace
}  // namespace qed
