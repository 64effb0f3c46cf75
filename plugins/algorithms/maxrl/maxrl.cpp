// MaxRL: maximum likelihood reinforcement learning. The gradient of log(success rate) in place of
// that of the success rate, so that hard prompts weigh more.
//
//   advantage  A_i = (R_i - mean(R)) / (mean(R) + eps)    over the completions of one prompt
//   loss       PPO's clipped surrogate
//
// Tajwar et al., "Maximum Likelihood Reinforcement Learning" (2026). For rewards of at least 0.

#include "qed/estimators.h"
#include "qed/losses.h"

namespace {

class Maxrl {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.maxrl",
      .name = "maxrl",
      .version = "1.0.0",
      .summary = "advantage relative to the group's success rate, clipped policy loss",
  };

  void options(qed::Options& o) {
    clip_.options(o);
    o("eps", eps_, {.min = 0, .help = "added to the group's mean"});
  }
  void check() const { clip_.check(); }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    qed::for_each_group(batch, [&](std::size_t begin, std::size_t end) {
      const auto group = qed::reward_statistics(batch, begin, end);
      if (group.std == 0) return;  // every reward equal: nothing to learn from this prompt
      for (std::size_t b = begin; b < end; ++b) {
        if (batch.valid[b] == 0) continue;
        const double score = qed::score(batch, b);
        if (score < 0) refuse(score);
        qed::broadcast(batch, b, (score - group.mean) / (group.mean + eps_), out.adv);
      }
    });
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    return qed::clipped_policy_loss(batch, args, clip_);
  }

 private:
  [[noreturn]] static void refuse(double score) {
    throw qed::Error("a completion has the reward " + std::to_string(score) +
                     ", but maxrl is for rewards of at least 0: choose such a reward, or grpo");
  }

  qed::Clip clip_;
  double eps_ = 1e-6;
};

}  // namespace

QED_PLUGIN("dev.qed.maxrl", "Apache-2.0", qed::Algorithm<Maxrl>);
