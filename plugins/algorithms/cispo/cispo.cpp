// CISPO: clipped importance sampling policy optimization. GRPO's advantage; the ratio is a bounded
// weight on REINFORCE, so that no token loses its gradient.
//
//   loss  sum over t of weight_t * -sg(clip(r, min_ratio, max_ratio)) A logp
//         r = exp(logp - old_logp); sg: held fixed in the gradient
//
// MiniMax, "MiniMax-M1" (2025), section 3.1, eq. 4 and 5.

#include "../grpo/grpo.h"

namespace {

class Cispo : public GroupRelative {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.cispo",
      .name = "cispo",
      .version = "1.0.0",
      .summary = "group-normalised advantage, REINFORCE with clipped importance weights",
  };

  void options(qed::Options& o) {
    o("min_ratio", min_ratio_, {.min = 0, .max = 1, .help = "smallest importance weight"});
    o("max_ratio", max_ratio_, {.min = 0, .help = "largest importance weight"});
    GroupRelative::options(o);
  }
  void check() const {
    if (min_ratio_ > max_ratio_) throw qed::Error("`min_ratio` is above `max_ratio`", QED_INVALID);
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    double loss = 0, clipped = 0, kl = 0, count = 0;
    for (std::size_t t = 0; t < args.logp.size(); ++t) {
      if (args.weight[t] == 0) continue;
      const double log_ratio = double{args.logp[t]} - batch.old_logp[t];
      const double ratio = std::exp(log_ratio);
      const double bounded = std::clamp(ratio, min_ratio_, max_ratio_);
      const double slope = -double{args.weight[t]} * bounded * args.adv[t];
      loss += slope * args.logp[t];
      args.grad_logp[t] = static_cast<float>(slope);
      clipped += bounded != ratio ? 1 : 0;
      kl -= std::clamp(log_ratio, -20.0, 20.0);  // as veRL reports it
      ++count;
    }
    args.metric("actor/pg_clipfrac", clipped, count);
    args.metric("actor/ppo_kl", kl, count);
    return loss;
  }

 private:
  double min_ratio_ = 0;
  double max_ratio_ = 5;
};

}  // namespace

QED_PLUGIN("dev.qed.cispo", "Apache-2.0", qed::Algorithm<Cispo>);
