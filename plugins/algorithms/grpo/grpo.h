#pragma once

// GRPO: group relative policy optimization.
//
//   advantage  A_i = (R_i - mean(R)) / (std(R) + eps)    over the completions of one prompt
//   loss       PPO's clipped surrogate, with DAPO's separate bounds
//
// Shao et al., "DeepSeekMath" (2024), section 4.1.2; Yu et al., "DAPO" (2025), section 3.1.
//
// A header, so that an algorithm that changes one half of it can be written on top of it.

#include "qed/estimators.h"
#include "qed/losses.h"

namespace {

class Grpo {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.grpo",
      .name = "grpo",
      .version = "1.0.0",
      .summary = "group-normalised advantage, clipped policy loss",
  };

  void options(qed::Options& o) {
    o("clip_low", clip_low_,
      {.min = 0, .max = 1, .help = "the ratio is clipped below at 1 - clip_low"});
    o("clip_high", clip_high_, {.min = 0, .help = "the ratio is clipped above at 1 + clip_high"});
    o("eps", eps_, {.min = 0, .help = "added to the group's standard deviation"});
  }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    qed::for_each_group(batch, [&](std::size_t begin, std::size_t end) {
      const auto group = qed::reward_statistics(batch, begin, end);
      if (group.std == 0) return;  // every reward equal: nothing to learn from this prompt
      for (std::size_t b = begin; b < end; ++b) {
        if (batch.valid[b] == 0) continue;
        qed::broadcast(batch, b, (batch.reward[b] - group.mean) / (group.std + eps_), out.adv);
      }
    });
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    return qed::clipped_policy_loss(batch, args, clip_low_, clip_high_);
  }

 private:
  double clip_low_ = 0.2;
  double clip_high_ = 0.2;
  double eps_ = 1e-6;
};

}  // namespace
