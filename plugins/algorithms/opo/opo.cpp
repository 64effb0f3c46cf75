// OPO: on-policy optimization with the baseline of least variance, the mean reward weighted by
// length.
//
//   advantage  A_i = R_i - sum of len_j R_j / sum of len_j    over the completions of one prompt
//   loss       PPO's clipped surrogate; the paper updates strictly on-policy
//
// Hao et al., "On-Policy RL with Optimal Reward Baseline" (2025), section 3.2.

#include "qed/estimators.h"
#include "qed/losses.h"

namespace {

class Opo {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.opo",
      .name = "opo",
      .version = "1.0.0",
      .summary = "length-weighted baseline, clipped policy loss",
  };

  void options(qed::Options& o) { clip_.options(o); }
  void check() const { clip_.check(); }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    qed::for_each_group(batch, [&](std::size_t begin, std::size_t end) {
      if (qed::reward_statistics(batch, begin, end).std == 0) return;  // every reward equal
      double sum = 0, length = 0;
      for (std::size_t b = begin; b < end; ++b) {
        if (batch.valid[b] == 0) continue;
        const auto n = static_cast<double>(qed::num_written(batch, b));
        sum += n * qed::score(batch, b);
        length += n;
      }
      for (std::size_t b = begin; b < end; ++b) {
        if (batch.valid[b] == 0 || length == 0) continue;
        qed::broadcast(batch, b, qed::score(batch, b) - sum / length, out.adv);
      }
    });
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    return qed::clipped_policy_loss(batch, args, clip_);
  }

 private:
  qed::Clip clip_;
};

}  // namespace

QED_PLUGIN("dev.qed.opo", "Apache-2.0", qed::Algorithm<Opo>);
