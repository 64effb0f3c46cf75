// A control: grpo that maximises the negated reward. What it trains must get worse.

#include "plugins/algorithms/grpo/grpo.h"

#include <vector>

namespace {

class GrpoFlipped : public Grpo {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.grpo_flipped",
      .name = "grpo_flipped",
      .version = "1.0.0",
      .summary = "grpo on the negated reward, a control",
  };

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    std::vector<float> reward(batch.reward.begin(), batch.reward.end());
    for (float& r : reward) r = -r;
    qed::Batch flipped = batch;
    flipped.reward = reward;
    Grpo::advantage(flipped, out);
  }
};

}  // namespace

QED_PLUGIN("dev.qed.test.grpo_flipped", "Apache-2.0", qed::Algorithm<GrpoFlipped>);
