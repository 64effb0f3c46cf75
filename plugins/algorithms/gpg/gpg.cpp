// GPG: group policy gradient. Plain REINFORCE, with the group's mean as baseline and a factor for
// the completions that teach nothing.
//
//   advantage  A_i = alpha (R_i - mean(R)),
//              alpha = completions / completions in groups whose rewards differ
//   loss       sum over t of weight_t * -A logp
//
// Chu et al., "GPG: A Simple and Strong Reinforcement Learning Baseline for Model Reasoning"
// (2025), section 3.

#include "qed/estimators.h"
#include "qed/losses.h"

namespace {

class Gpg {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.gpg",
      .name = "gpg",
      .version = "1.0.0",
      .summary = "rescaled group-mean baseline, plain policy gradient",
  };

  void options(qed::Options& o) {
    o("alpha", alpha_,
      {.choices = {"paper", "verl", "none"},
       .help =
           "completions / those in groups with differing rewards, / those with reward not 0; 1"});
  }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    double all = 0, nonzero = 0, live = 0;
    qed::for_each_group(batch, [&](std::size_t begin, std::size_t end) {
      const auto group = qed::reward_statistics(batch, begin, end);
      all += static_cast<double>(group.n);
      if (group.std > 0) live += static_cast<double>(group.n);
      for (std::size_t b = begin; b < end; ++b) {
        nonzero += batch.valid[b] != 0 && qed::score(batch, b) != 0 ? 1 : 0;
      }
    });
    const double count = alpha_ == "paper" ? live : alpha_ == "verl" ? nonzero : all;
    const double alpha = all / std::max(count, 1.0);
    out.metric("gpg/alpha", alpha, 1);

    qed::for_each_group(batch, [&](std::size_t begin, std::size_t end) {
      const auto group = qed::reward_statistics(batch, begin, end);
      for (std::size_t b = begin; b < end; ++b) {
        if (batch.valid[b] == 0) continue;
        qed::broadcast(batch, b, alpha * (qed::score(batch, b) - group.mean), out.adv);
      }
    });
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    return qed::policy_gradient_loss(batch, args);
  }

 private:
  std::string alpha_ = "paper";
};

}  // namespace

QED_PLUGIN("dev.qed.gpg", "Apache-2.0", qed::Algorithm<Gpg>);
