#pragma once

// GRPO: group relative policy optimization.
//
//   advantage  A_i = (R_i - mean(R)) / (std(R) + eps)    over the completions of one prompt
//   loss       PPO's clipped surrogate, with DAPO's separate bounds
//
// Shao et al., "DeepSeekMath" (2024), section 4.1.2; Yu et al., "DAPO" (2025), section 3.1;
// without the std, Liu et al., "Understanding R1-Zero-Like Training" (2025), section 3.2.
//
// A header, so that an algorithm that changes one half of it can be written on top of it.

#include "qed/estimators.h"
#include "qed/losses.h"

namespace {

// The estimator alone.
class GroupRelative {
 public:
  void options(qed::Options& o) {
    o("normalize", normalize_,
      {.choices = {"std", "batch_std", "mean"},
       .help = "R - mean is divided by the std of the group, of the step, or by nothing"});
    o("eps", eps_, {.min = 0, .help = "added to the standard deviation"});
    o("leave_one_out", leave_one_out_, {.help = "the mean is that of the other completions"});
  }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    const auto step = qed::reward_statistics(batch, 0, batch.num_seqs());
    qed::for_each_group(batch, [&](std::size_t begin, std::size_t end) {
      const auto group = qed::reward_statistics(batch, begin, end);
      if (group.std == 0) return;  // every reward equal: nothing to learn from this prompt
      const double std = normalize_ == "std" ? group.std : step.std;
      const double divisor = normalize_ == "mean" ? 1 : std + eps_;
      const double factor = leave_one_out_ ? qed::leave_one_out(group) : 1;
      for (std::size_t b = begin; b < end; ++b) {
        if (batch.valid[b] == 0) continue;
        const double a = factor * (qed::score(batch, b) - group.mean) / divisor;
        qed::broadcast(batch, b, a, out.adv);
      }
    });
  }

 private:
  std::string normalize_ = "std";
  double eps_ = 1e-6;
  bool leave_one_out_ = false;
};

class Grpo : public GroupRelative {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.grpo",
      .name = "grpo",
      .version = "1.1.0",
      .summary = "group-normalised advantage, clipped policy loss",
  };

  void options(qed::Options& o) {
    clip_.options(o);
    GroupRelative::options(o);
  }
  void check() const { clip_.check(); }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    return qed::clipped_policy_loss(batch, args, clip_);
  }

 private:
  qed::Clip clip_;
};

}  // namespace
