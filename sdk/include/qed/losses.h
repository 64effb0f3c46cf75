#pragma once

// All building blocks of losses: value and exact gradient per token.

#include "qed/clip.h"
#include "qed/sequence_clip.h"

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// REINFORCE (Williams 1992): sum over t of weight[t] * -adv[t] logp[t]; writes the gradient and
// `actor/ppo_kl`. Tokens with weight 0 are skipped.
inline double policy_gradient_loss(const Batch& batch, LossArgs& args) {
  double loss = 0, kl = 0, count = 0;
  for (std::size_t t = 0; t < args.logp.size(); ++t) {
    if (args.weight[t] == 0) continue;
    const double slope = -double{args.weight[t]} * args.adv[t];
    loss += slope * args.logp[t];
    args.grad_logp[t] = static_cast<float>(slope);
    kl += double{batch.old_logp[t]} - args.logp[t];
    ++count;
  }
  args.metric("actor/ppo_kl", kl, count);
  return loss;
}

// The critic's loss with PPO's clip around its old values (OpenAI baselines, ppo2): sum over t of
//   weight[t] / 2 * max((V - ret)^2, (clip(V, old - clip, old + clip) - ret)^2)
// and 1/2 (V - ret)^2 where clip is 0: none. Sets args.value_loss, grad_value and the metric
// `critic/vf_clipfrac`. Tokens with weight 0 are skipped.
inline void clipped_value_loss(const Batch& batch, LossArgs& args, double clip) {
  double clipped = 0, count = 0;
  for (std::size_t t = 0; t < args.value.size(); ++t) {
    if (args.weight[t] == 0) continue;
    const double w = args.weight[t], v = args.value[t], old = batch.value[t], ret = args.ret[t];
    const double error = v - ret;
    const double near = clip > 0 ? std::clamp(v, old - clip, old + clip) - ret : error;
    args.value_loss += w / 2 * std::max(error * error, near * near);
    const bool is_clipped = near * near > error * error;
    if (!is_clipped) args.grad_value[t] = static_cast<float>(w * error);
    clipped += is_clipped ? 1 : 0;
    ++count;
  }
  args.metric("critic/vf_clipfrac", clipped, count);
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
