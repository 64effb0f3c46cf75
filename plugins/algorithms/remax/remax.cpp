// ReMax: the baseline of a prompt is the reward of its greedy completion.
//
//   advantage  A_t = sum of r_u over u >= t - R(greedy)
//   loss       PPO's clipped surrogate
//
// Li et al., "ReMax: A Simple, Effective, and Efficient Reinforcement Learning Method for Aligning
// Large Language Models" (2024), eq. 5.

#include "qed/estimators.h"
#include "qed/losses.h"

namespace {

class Remax {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.remax",
      .name = "remax",
      .version = "1.0.0",
      .summary = "reward above that of the greedy completion, clipped policy loss",
  };

  void options(qed::Options& o) { clip_.options(o); }
  void check() const { clip_.check(); }

  std::uint64_t needs() const { return QED_NEEDS_BASELINE; }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    std::vector<double> adv = qed::discounted_returns(batch, 1);
    for (std::size_t b = 0; b < batch.num_seqs(); ++b) {
      for (auto t = batch.offset[b]; t < batch.offset[b + 1]; ++t) adv[t] -= batch.baseline[b];
    }
    qed::store(batch, adv, out.adv);
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    return qed::clipped_policy_loss(batch, args, clip_);
  }

 private:
  qed::Clip clip_;
};

}  // namespace

QED_PLUGIN("dev.qed.remax", "Apache-2.0", qed::Algorithm<Remax>);
