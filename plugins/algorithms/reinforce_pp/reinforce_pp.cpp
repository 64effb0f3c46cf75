// REINFORCE++: no critic and no groups; the baseline is the mean over the whole batch.
//
//   advantage  A_t = whiten(G_t),  G_t = r_t + gamma G_{t+1}    over all tokens of the step
//   baseline   A_t = whiten(R - mean of the group)              for several completions per prompt
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
      .version = "1.1.0",
      .summary = "batch-whitened returns, clipped policy loss",
  };

  void options(qed::Options& o) {
    clip_.options(o);
    o("gamma", gamma_, {.min = 0, .max = 1, .help = "discount per token that the model wrote"});
    o("baseline", baseline_, {.help = "the group's mean score is taken off first"});
  }
  void check() const {
    clip_.check();
    if (baseline_ && gamma_ != 1) {
      throw qed::Error("`gamma` has no effect with `baseline`: leave it at 1", QED_INVALID);
    }
  }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    std::vector<double> returns =
        baseline_ ? above_group_mean(batch) : qed::discounted_returns(batch, gamma_);
    qed::whiten(batch, returns);
    qed::store(batch, returns, out.adv);
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    return qed::clipped_policy_loss(batch, args, clip_);
  }

 private:
  static std::vector<double> above_group_mean(const qed::Batch& batch) {
    std::vector<double> out(batch.num_tokens());
    qed::for_each_group(batch, [&](std::size_t begin, std::size_t end) {
      const double mean = qed::reward_statistics(batch, begin, end).mean;
      for (std::size_t b = begin; b < end; ++b) {
        const double above = qed::score(batch, b) - mean;
        std::fill(out.begin() + static_cast<std::ptrdiff_t>(batch.offset[b]),
                  out.begin() + static_cast<std::ptrdiff_t>(batch.offset[b + 1]), above);
      }
    });
    return out;
  }

  qed::Clip clip_;
  double gamma_ = 1;
  bool baseline_ = false;
};

}  // namespace

QED_PLUGIN("dev.qed.reinforce_pp", "Apache-2.0", qed::Algorithm<ReinforcePp>);
