// GSPO: group sequence policy optimization. GRPO's advantage; one ratio per completion.
//
//   s_i   exp(mean over the tokens of i of logp - old_logp)
//   loss  sum over t of weight_t max(-A s_i, -A clip(s_i, 1 - clip_low, 1 + clip_high))
//
// Zheng et al., "Group Sequence Policy Optimization" (2025), eq. 5 to 7; per token, eq. 13 and 14.

#include "../grpo/grpo.h"

namespace {

class Gspo : public GroupRelative {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.gspo",
      .name = "gspo",
      .version = "1.0.0",
      .summary = "group-normalised advantage, one clipped ratio per completion",
  };

  void options(qed::Options& o) {
    clip_.options(o);
    o("gradient", gradient_,
      {.choices = {"sequence", "token"},
       .help = "of the sequence's terms, or of each token's own term (GSPO-token)"});
    GroupRelative::options(o);
  }
  void check() const { clip_.check(); }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    const auto gradient =
        gradient_ == "token" ? qed::SequenceGradient::kToken : qed::SequenceGradient::kExact;
    return qed::clipped_sequence_loss(batch, args, clip_, qed::SequenceRatio::kMean, gradient);
  }

 private:
  qed::Clip clip_{.low = 3e-4, .high = 4e-4, .max_log_ratio = 10};
  std::string gradient_ = "sequence";
};

}  // namespace

QED_PLUGIN("dev.qed.gspo", "Apache-2.0", qed::Algorithm<Gspo>);
