// PPO: proximal policy optimization with a critic.
//
//   advantage  A_t = whiten(GAE(r, V; gamma, lambda)),    ret_t = GAE_t + V_t
//   loss       the clipped surrogate
//   critic     1/2 max((V - ret)^2, (clip(V, V_old - value_clip, V_old + value_clip) - ret)^2)
//
// Schulman et al., "Proximal Policy Optimization Algorithms" (2017), eq. 7;
// "High-Dimensional Continuous Control Using Generalized Advantage Estimation" (2016), eq. 16.

#include "qed/estimators.h"
#include "qed/losses.h"

namespace {

class Ppo {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.ppo",
      .name = "ppo",
      .version = "1.0.0",
      .summary = "GAE with a critic, clipped policy loss, clipped value loss",
  };

  void options(qed::Options& o) {
    clip_.options(o);
    o("gamma", gamma_, {.min = 0, .max = 1, .help = "discount per token that the model wrote"});
    o("lambda", lambda_, {.min = 0, .max = 1, .help = "of GAE; 1: returns, 0: one step"});
    o("whiten", whiten_, {.help = "advantages get mean 0 and variance 1 over the step's tokens"});
    o("value_clip", value_clip_,
      {.min = 0, .help = "how far an update may move a value for gain; 0: any"});
  }
  void check() const { clip_.check(); }

  std::uint64_t needs() const { return QED_NEEDS_VALUE; }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    qed::Gae gae = qed::gae(batch, gamma_, lambda_);
    if (whiten_) qed::whiten(batch, gae.adv);
    qed::store(batch, gae.adv, out.adv);
    qed::store(batch, gae.ret, out.ret);
  }

  double loss(const qed::Batch& batch, qed::LossArgs& args) const {
    qed::clipped_value_loss(batch, args, value_clip_);
    return qed::clipped_policy_loss(batch, args, clip_);
  }

 private:
  qed::Clip clip_;
  double gamma_ = 1;
  double lambda_ = 1;
  bool whiten_ = true;
  double value_clip_ = 0.5;
};

}  // namespace

QED_PLUGIN("dev.qed.ppo", "Apache-2.0", qed::Algorithm<Ppo>);
