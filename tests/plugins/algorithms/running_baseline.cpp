// REINFORCE with a running mean of the rewards as baseline: an algorithm that remembers.

#include "qed/losses.h"

#include <charconv>
#include <string>
#include <string_view>

namespace {

class RunningBaseline {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.running_baseline",
      .name = "running_baseline",
      .version = "1.0.0",
      .summary = "reward minus its running mean",
  };

  void options(qed::Options& o) {
    o("decay", decay_, {.min = 0, .max = 1, .help = "of the running mean, per step"});
  }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    double sum = 0, count = 0;
    for (std::size_t b = 0; b < batch.num_seqs(); ++b) {
      if (batch.valid[b] == 0) continue;
      sum += batch.reward[b];
      ++count;
      for (std::size_t t = batch.offset[b]; t < batch.offset[b + 1]; ++t) {
        if (batch.mask[t] != 0) out.adv[t] = static_cast<float>(batch.reward[b] - mean_);
      }
    }
    if (count > 0) mean_ = decay_ * mean_ + (1 - decay_) * sum / count;
    out.metric("baseline/mean", mean_, 1);
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    return qed::policy_gradient_loss(batch, args);
  }

  std::string save() const {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, mean_).ptr};
  }
  void restore(std::string_view state) {
    const auto [end, ec] = std::from_chars(state.begin(), state.end(), mean_);
    if (ec != std::errc() || end != state.end()) throw qed::Error("the state is not a number");
  }

 private:
  double decay_ = 0.5;
  mutable double mean_ = 0;
};

}  // namespace

QED_PLUGIN("dev.qed.test.running_baseline", "Apache-2.0", qed::Algorithm<RunningBaseline>);
