#pragma once

// Building blocks of per-token estimators: discounted returns and GAE. Both carry through tokens
// that the environment wrote (mask == 0): inserting such tokens changes nothing, whatever the
// discount. Arithmetic is double; entries off mask are 0.

#include "qed/group.h"

#include <vector>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// [T] What each token earned: the reward of its sequence on the last token that the model wrote,
// and every stream that has no discount of its own. Throws Error when a reward is not finite.
inline std::vector<double> token_rewards(const Batch& batch) {
  std::vector<double> out(batch.num_tokens());
  for (std::size_t b = 0; b < batch.num_seqs(); ++b) {
    score(batch, b);  // checks that it is finite
    auto last = batch.offset[b + 1];
    while (last > batch.offset[b] && batch.mask[last - 1] == 0) --last;
    if (last > batch.offset[b]) out[last - 1] = batch.reward[b];
  }
  for (const qed_stream* stream : batch.streams) {
    if ((stream->flags & QED_STREAM_HAS_GAMMA) != 0) continue;
    for (std::size_t t = 0; t < out.size(); ++t) {
      if (batch.mask[t] != 0) out[t] += stream->reward.p[t];
    }
  }
  return out;
}

// Adds G_t = r_t + gamma G_{t+1} (Sutton and Barto 2018, eq. 3.9) to out[t] where the mask is 1;
// t + 1 is the next token that the model wrote. `reward(t)` gives r_t.
template <class Reward>
void add_returns(const Batch& batch, double gamma, Reward&& reward, std::vector<double>& out) {
  for (std::size_t b = 0; b < batch.num_seqs(); ++b) {
    double next = 0;
    for (auto t = batch.offset[b + 1]; t-- > batch.offset[b];) {
      if (batch.mask[t] == 0) continue;
      next = reward(t) + gamma * next;
      out[t] += next;
    }
  }
}

// [T] Adds the returns of the streams that have a discount of their own (Yeo et al. 2025,
// "Demystifying Long Chain-of-Thought Reasoning", section 4.2).
inline void add_stream_returns(const Batch& batch, std::vector<double>& out) {
  for (const qed_stream* stream : batch.streams) {
    if ((stream->flags & QED_STREAM_HAS_GAMMA) == 0) continue;
    add_returns(
        batch, stream->gamma, [&](std::size_t t) { return stream->reward.p[t]; }, out);
  }
}

// [T] The return of every token: sequence reward and streams, each stream with its own discount
// where it has one.
inline std::vector<double> discounted_returns(const Batch& batch, double gamma) {
  const auto reward = token_rewards(batch);
  std::vector<double> out(batch.num_tokens());
  add_returns(
      batch, gamma, [&](std::size_t t) { return reward[t]; }, out);
  add_stream_returns(batch, out);
  return out;
}

struct Gae {
  std::vector<double> adv;  // [T]
  std::vector<double> ret;  // [T] adv + value: the target of the critic
};

// Generalised advantage estimation (Schulman et al. 2016, eq. 16) on batch.value:
//   delta_t = r_t + gamma V_{t+1} - V_t        A_t = delta_t + gamma lambda A_{t+1}
// where t + 1 is the next token that the model wrote, and V and A are 0 after the last. A stream
// with a discount of its own adds its return to A (its lambda is 1, and the critic does not see its
// discount).
inline Gae gae(const Batch& batch, double gamma, double lambda) {
  const auto reward = token_rewards(batch);
  Gae out = {std::vector<double>(reward.size()), std::vector<double>(reward.size())};
  for (std::size_t b = 0; b < batch.num_seqs(); ++b) {
    double next_adv = 0, next_value = 0;
    for (auto t = batch.offset[b + 1]; t-- > batch.offset[b];) {
      if (batch.mask[t] == 0) continue;
      const double delta = reward[t] + gamma * next_value - batch.value[t];
      out.adv[t] = next_adv = delta + gamma * lambda * next_adv;
      next_value = batch.value[t];
    }
  }
  add_stream_returns(batch, out.adv);
  for (std::size_t t = 0; t < reward.size(); ++t) {
    if (batch.mask[t] != 0) out.ret[t] = out.adv[t] + batch.value[t];
  }
  return out;
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
