// A control: grpo on rewards that are dealt out at random over the step's batch. It must learn
// nothing.

#include "plugins/algorithms/grpo/grpo.h"
#include "qed/philox.h"

#include <utility>
#include <vector>

namespace {

class GrpoShuffled : public Grpo {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.grpo_shuffled",
      .name = "grpo_shuffled",
      .version = "1.0.0",
      .summary = "grpo on shuffled rewards, a control",
  };

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    std::vector<float> reward(batch.reward.begin(), batch.reward.end());
    std::vector<std::size_t> valid;
    for (std::size_t b = 0; b < batch.num_seqs(); ++b) {
      if (batch.valid[b] != 0) valid.push_back(b);
    }
    qed::Rng rng(qed::KeyHash().add("grpo_shuffled").add(batch.step).value());
    for (std::size_t n = valid.size(); n > 1; --n) {
      const auto other = static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(n) - 1));
      std::swap(reward[valid[n - 1]], reward[valid[other]]);
    }
    qed::Batch shuffled = batch;
    shuffled.reward = reward;
    Grpo::advantage(shuffled, out);
  }
};

}  // namespace

QED_PLUGIN("dev.qed.test.grpo_shuffled", "Apache-2.0", qed::Algorithm<GrpoShuffled>);
