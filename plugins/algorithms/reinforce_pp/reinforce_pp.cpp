// REINFORCE++: no critic and no groups; the baseline is the mean over the whole batch.
//
//   advantage  A_t = whiten(R)    over all tokens of the step; discount 1, no KL in the reward
//   loss       PPO's clipped surrogate
//
// Hu, "REINFORCE++: A Simple and Efficient Approach for Aligning Large Language Models" (2025).

#include "qed/estimators.h"
#include "qed/losses.h"

namespace {

class ReinforcePp {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reinforce_pp",
      .name = "reinforce_pp",
      .version = "1.0.0",
      .summary = "batch-whitened returns, clipped policy loss",
  };

  void options(qed::Options& o) {
    o("clip_low", clip_low_,
      {.min = 0, .max = 1, .help = "the ratio is clipped below at 1 - clip_low"});
    o("clip_high", clip_high_, {.min = 0, .help = "the ratio is clipped above at 1 + clip_high"});
  }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    for (std::size_t b = 0; b < batch.num_seqs(); ++b) {
      qed::broadcast(batch, b, batch.reward[b], out.adv);
    }
    qed::whiten(batch, out.adv);
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    return qed::clipped_policy_loss(batch, args, clip_low_, clip_high_);
  }

 private:
  double clip_low_ = 0.2;
  double clip_high_ = 0.2;
};

}  // namespace

QED_PLUGIN("dev.qed.reinforce_pp", "Apache-2.0", qed::Algorithm<ReinforcePp>);
