#pragma once

// A task plugin, as the engine sees it: the C++ face of qed_task. All members are thread-safe;
// calls are serialised when the component is not QED_CONCURRENT. A plugin's failure throws Error
// with exit code 3 and the plugin's own message, except in verify, where each score has a status.

#include "core/host/call_watch.h"
#include "core/host/plugin_call.h"
#include "core/host/plugin_state.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qed {

struct Item {
  std::string key;
  std::string blob;
};

struct Prompt {
  std::string messages;  // JSON; or
  std::string text;
  std::string prefill;
  std::vector<std::string> stop;
  std::uint64_t max_new_tokens = 0;  // 0: the run's
  bool keep_special = false;
};

// A completion to score; views live until verify returns.
struct SampleView {
  const Item* item;
  std::string_view prompt, prefill, text;
  std::span<const std::int32_t> tokens;
  std::uint32_t finish;  // QED_FINISH_<reason>
  std::uint64_t group, index;
  std::uint64_t max_new_tokens = 0;  // the budget that the completion had; 0: not known
};

struct Score {
  std::int32_t status;       // QED_OK, or why there is no reward
  double reward;             // finite when status is QED_OK, else NaN; see run/truncated.h
  std::uint32_t verdict;     // QED_VERDICT_<v>
  std::vector<float> terms;  // in the order of Task::terms()
  std::string note;          // from the plugin, or its error message
};

class Task {
 public:
  // `options` is canonical JSON. The component must outlive the task. `timeout_s` is what verify
  // has for a call. Throws Error with exit code 3.
  Task(const Component& component, const std::string& options, const qed_host* host,
       double timeout_s = kCallTimeoutS);
  ~Task();
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  const std::string& name() const;
  PluginState state() const { return {component_, table_->object, self_}; }
  const std::vector<std::string>& splits() const { return splits_; }  // "train" first
  const std::vector<std::string>& terms() const { return terms_; }
  // `verify` must get whole groups, adjacent, in order.
  bool by_group() const { return (component_.abi->flags & QED_WHOLE_GROUPS) != 0; }

  std::uint64_t count(std::string_view split) const;  // or QED_GENERATIVE
  Item load(std::string_view split, std::uint64_t index) const;
  Prompt render(const Item& item) const;
  // One score per sample, in order. OK with a reward or a term that is not finite becomes
  // QED_INTERNAL; PENDING is asked again for up to `timeout_s`, then it becomes QED_DEADLINE.
  std::vector<Score> verify(std::span<const SampleView> samples, std::uint64_t seed) const;
  double timeout_s() const { return watch_.timeout_s(); }
  // Nothing when the task has no demonstrations. `style` empty: the task's own mix.
  std::optional<std::string> demonstrate(const Item& item, std::string_view style,
                                         std::uint64_t seed) const;

 private:
  struct Batch;

  // One call of qed_task.verify for some samples of the batch; sets their scores.
  void ask(Batch& batch, std::span<const std::size_t> indices, std::uint64_t seed) const;

  const Component& component_;
  const qed_task* table_;
  void* self_ = nullptr;
  std::vector<std::string> splits_, terms_;
  CallLock lock_;
  mutable CallWatch watch_;  // of verify
};

}  // namespace qed
