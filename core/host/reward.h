#pragma once

// A reward plugin, as the engine sees it: the C++ face of qed_reward. All members are thread-safe;
// calls are serialised when the component is not QED_CONCURRENT.

#include "core/host/call_watch.h"
#include "core/host/plugin_call.h"
#include "core/host/plugin_state.h"
#include "core/host/task.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qed {

// A completion that the task could score; views live until score returns.
struct ScoredView {
  const SampleView* sample;
  double reward;                            // by the task
  std::uint32_t verdict;                    // QED_VERDICT_<v> by the task
  std::span<const std::string> term_names;  // the task's terms
  std::span<const float> terms;             // their values; same length
};

struct RewardScore {
  std::int32_t status;        // QED_OK, or why there is no value
  double value;               // finite when status is QED_OK, else NaN
  bool applies;               // false: left out of the sum
  std::vector<float> tokens;  // [tokens of the sample] with has_token_rewards, else empty
  std::string note;           // from the plugin, or its error message
};

class Reward {
 public:
  // `options` is canonical JSON. The component must outlive the object. `timeout_s` is what score
  // has for a call. Throws Error with exit code 3.
  Reward(const Component& component, const std::string& options, const qed_host* host,
         double timeout_s = kCallTimeoutS);
  ~Reward();
  Reward(const Reward&) = delete;
  Reward& operator=(const Reward&) = delete;

  const std::string& name() const;
  PluginState state() const { return {component_, table_->object, self_}; }
  // `score` must get whole groups, adjacent, in order.
  bool by_group() const { return (component_.abi->flags & QED_WHOLE_GROUPS) != 0; }
  bool has_token_rewards() const { return (component_.abi->flags & QED_TOKEN_REWARDS) != 0; }

  // One score per sample, in order. OK with a value or a token's reward that is not finite becomes
  // QED_INTERNAL; PENDING is asked again for up to `timeout_s`, then it becomes QED_DEADLINE.
  std::vector<RewardScore> score(std::span<const ScoredView> samples, std::uint64_t seed) const;

 private:
  struct Batch;
  // One call of qed_reward.score for some samples of the batch; sets their terms.
  void ask(Batch& batch, std::span<const std::size_t> indices, std::uint64_t seed) const;

  const Component& component_;
  const qed_reward* table_;
  void* self_ = nullptr;
  CallLock lock_;
  mutable CallWatch watch_;  // of score
};

}  // namespace qed
