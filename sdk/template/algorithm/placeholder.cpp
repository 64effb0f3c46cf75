// placeholder: REINFORCE with the mean reward of the group as its baseline.
//
//   advantage  A = R - mean(R) over the completions of one prompt, the same for all their tokens
//   loss       sum over t of weight_t * -A r_t, r = exp(logp - old_logp); its gradient -weight A r

#include "qed/estimators.h"

#include <algorithm>
#include <cmath>

namespace {

class Placeholder {
 public:
  static constexpr qed::Info kInfo{
      .id = "com.example.placeholder",
      .name = "placeholder",
      .version = "1.0.0",
      .summary = "REINFORCE with the mean reward of the group as its baseline",
  };

  void options(qed::Options& o) {
    o("max_advantage", max_advantage_, {.min = 0, .help = "advantages are cut at plus/minus this"});
  }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    qed::for_each_group(batch, [&](std::size_t begin, std::size_t end) {
      const double mean = qed::reward_statistics(batch, begin, end).mean;
      for (std::size_t b = begin; b < end; ++b) {
        if (batch.valid[b] == 0) continue;  // could not be scored
        const double a = std::clamp(batch.reward[b] - mean, -max_advantage_, max_advantage_);
        qed::broadcast(batch, b, a, out.adv);
      }
    });
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    double loss = 0;
    for (std::size_t t = 0; t < args.logp.size(); ++t) {
      if (args.weight[t] == 0) continue;  // not to be trained on
      const double ratio = std::exp(double{args.logp[t]} - batch.old_logp[t]);
      const double f = -args.adv[t] * ratio;
      loss += args.weight[t] * f;
      args.grad_logp[t] = static_cast<float>(args.weight[t] * f);
    }
    return loss;
  }

 private:
  double max_advantage_ = 10;
};

}  // namespace

QED_PLUGIN("com.example.placeholder", "Apache-2.0", qed::Algorithm<Placeholder>);
