#pragma once

// How one token is drawn from one row of logits: the sampler's ops, then an inverse-CDF draw with a
// counter-based random number. The recorded log-prob is that of the distribution really drawn from.

#include "core/host/sampler.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qed {

// A request's ops, ready to run. Ops apply in their order.
class DrawPlan {
 public:
  // `max_support`: a truncated distribution keeps at most this many ids, the most likely ones.
  DrawPlan(std::vector<SampleOp> ops, std::int64_t max_support);
  static DrawPlan at_temperature(double temperature);  // no truncation; 0: greedy

  bool is_greedy() const { return inv_temperature_ == 0; }
  // 1 / temperature: what the logits are multiplied with. Greedy: 1, over a support of one id, so
  // that every log-prob is 0 and the completion counts in its group without a gradient of its own.
  float inv_temperature() const { return is_greedy() ? 1 : inv_temperature_; }

  struct Draw {
    std::int32_t token;
    float logp;  // under the distribution drawn from; greedy: 0
    std::vector<std::int32_t>
        support;  // ids that were kept, ascending; empty: all of them; greedy: one
  };
  // Draws with the random number (key, position). Throws Error when a logit is not finite. [any]
  Draw draw(std::span<const float> logits, std::uint64_t key, std::uint64_t position) const;

 private:
  std::vector<std::int32_t> support(std::span<const float> logits) const;

  // One truncation, and the inverse temperature that stood when it was asked for.
  struct Truncation {
    SampleOp op;
    float inv_temperature;
  };
  std::vector<Truncation> truncations_;
  std::int64_t max_support_ = 0;
  float inv_temperature_ = 1;
};

}  // namespace qed
