// RLOO: REINFORCE leave-one-out. The baseline of a completion is the mean reward of the others.
//
//   advantage  A_i = R_i - mean of R_j over j != i
//   loss       PPO's clipped surrogate, with one ratio per token or one per completion
//
// Ahmadian et al., "Back to Basics: Revisiting REINFORCE Style Optimization for Learning from Human
// Feedback in LLMs" (2024), eq. 8.

#include "qed/estimators.h"
#include "qed/losses.h"

namespace {

class Rloo {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.rloo",
      .name = "rloo",
      .version = "1.0.0",
      .summary = "leave-one-out baseline, clipped policy loss",
  };

  void options(qed::Options& o) {
    clip_.options(o);
    o("ratio", ratio_,
      {.choices = {"token", "sequence"},
       .help = "of every token, or of the whole completion (the product over its tokens)"});
    o("normalize", normalize_,
      {.help = "advantages get mean 0 and variance 1 over the step's completions"});
    o("eps", eps_, {.min = 0, .help = "added to the standard deviation of `normalize`"});
  }
  void check() const { clip_.check(); }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    std::vector<double> adv(batch.num_seqs());
    qed::for_each_group(batch, [&](std::size_t begin, std::size_t end) {
      const auto group = qed::reward_statistics(batch, begin, end);
      for (std::size_t b = begin; b < end; ++b) {
        adv[b] = qed::leave_one_out(group) * (qed::score(batch, b) - group.mean);
      }
    });
    const auto is_valid = [&](std::size_t b) { return batch.valid[b] != 0; };
    const auto step = qed::statistics(
        0, adv.size(), [&](std::size_t b) { return adv[b]; }, is_valid);
    for (std::size_t b = 0; b < adv.size(); ++b) {
      if (!is_valid(b)) continue;
      const bool scales = normalize_ && step.std > 0;
      const double a = scales ? (adv[b] - step.mean) / (step.std + eps_) : adv[b];
      qed::broadcast(batch, b, a, out.adv);
    }
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    if (ratio_ == "token") return qed::clipped_policy_loss(batch, args, clip_);
    return qed::clipped_sequence_loss(batch, args, clip_, qed::SequenceRatio::kSum);
  }

 private:
  qed::Clip clip_;
  std::string ratio_ = "token";
  bool normalize_ = false;
  double eps_ = 1e-4;
};

}  // namespace

QED_PLUGIN("dev.qed.rloo", "Apache-2.0", qed::Algorithm<Rloo>);
