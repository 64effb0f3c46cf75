#pragma once

// How one token is drawn from one row of logits: the sampler's ops in their order, then an
// inverse-CDF draw with a counter-based random number. The recorded behavior_logp is that of the
// distribution really drawn from, and can be computed again from what is recorded.

#include "core/host/sampler.h"
#include "core/rollout/kept_ids.h"

#include "qed/philox.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qed {

// What a draw depends on. Borrowed.
struct DrawInput {
  std::span<const float> logits;                  // [V]
  std::span<const std::int32_t> prompt = {};      // what penalties look at
  std::span<const std::int32_t> completion = {};  // likewise: the tokens so far
  std::span<const std::int32_t> banned = {};      // not drawn this time
  std::span<const std::uint8_t> allowed = {};     // qed_mask_row.allowed; empty: all
};

// What ends a draw, each as an Error.
[[noreturn]] void logits_not_finite();
[[noreturn]] void nothing_to_draw();
[[noreturn]] void ops_not_finite();

// Memory that draws of one thread share.
struct DrawScratch {
  std::vector<float> row, block_max, gathered;
  std::vector<double> sums;
  std::vector<std::int32_t> counts;  // [V], 0 between draws
  KeptIds kept;
};

// A request's ops, ready to run.
class DrawPlan {
 public:
  // `max_support`: a truncated distribution keeps at most this many ids, the most likely ones.
  DrawPlan(std::vector<SampleOp> ops, std::int64_t max_support);
  static DrawPlan at_temperature(double temperature);  // no truncation; 0: greedy

  bool is_greedy() const { return is_greedy_; }
  // True when an op moves or bans logits: penalties, bias, bans. Then log-probs under the plan are
  // not those of `logits * inv_temperature`.
  bool changes_logits() const { return changes_logits_; }
  // 1 / temperature: what the logits are multiplied with. Greedy: 1, over a support of one id, so
  // that every log-prob is 0 and the completion counts in its group without a gradient of its own.
  float inv_temperature() const { return inv_temperature_; }

  // One op that is not a temperature, and the factor that stands before it.
  struct Step {
    SampleOp op;
    float inv_temperature;
    std::size_t limit;  // of a truncation: more ids than this need not stay
    bool is_truncation() const { return op.op >= QED_OP_TOP_K && op.op <= QED_OP_MIN_P; }
  };
  std::span<const Step> steps() const { return steps_; }
  std::size_t max_support() const { return max_support_; }

  struct Draw {
    std::int32_t token;
    float behavior_logp;  // under the distribution drawn from; greedy: 0
    float logp;           // of the softmax of the logits as they came
    std::vector<std::int32_t>
        support;  // ids that were kept, ascending; empty: all of them; greedy: one
  };
  // Draws with the random number (key, position). Throws Error when a logit is not finite, or when
  // no id may be drawn. [any]
  Draw draw(const DrawInput& in, std::uint64_t key, std::uint64_t position,
            DrawScratch& scratch) const;

  // The row that is drawn from, without truncations: in.logits, or scratch.row. Multiplies slope
  // [V], unless it is null, by the derivative of each logit. [any]
  std::span<const float> changed_logits(const DrawInput& in, DrawScratch& scratch,
                                        float* slope = nullptr) const;

  // behavior_logp of a token that was drawn, from the same input and the support that the draw
  // gave: the same bits. [any]
  float behavior_logp(const DrawInput& in, std::int32_t token,
                      std::span<const std::int32_t> support, DrawScratch& scratch) const;

 private:
  void change(const Step& step, const DrawInput& in, DrawScratch& s, std::size_t& possible,
              float* slope = nullptr) const;
  std::span<const float> run_steps(const DrawInput& in, DrawScratch& s) const;

  std::vector<Step> steps_;
  std::size_t max_support_ = 0;
  float inv_temperature_ = 1;  // since the last change of logits
  bool is_greedy_ = false, changes_logits_ = false;
};

// A plan for each of `request.group_size` samples: asks the sampler with `request`, whose `size`
// and `index` are set here, and with a seed made of `key` and the index.
std::vector<DrawPlan> plan_group(const Sampler& sampler, qed_request request, KeyHash key,
                                 std::int64_t max_support);

}  // namespace qed
