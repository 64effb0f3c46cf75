#pragma once

// Completions on their way to a plugin that scores them: what the faces of task and reward share.

#include "core/host/plugin_call.h"
#include "core/host/task.h"
#include "core/util/error.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

namespace qed {

inline constexpr std::uint64_t kMaxNote = 4096;  // more is cut

// A note of bounded length, in arrays.
struct NoteSink : TextSink {
  NoteSink() : TextSink(kMaxNote, true) {}
};

inline qed_bytes bytes_to_abi(const std::string& s) {
  return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}
inline qed_item item_to_abi(const Item& item) {
  return {sizeof(qed_item), 0, to_abi(item.key), bytes_to_abi(item.blob)};
}

// The ABI's structs of a batch. Not moved: they point at each other; borrows from `views`.
class SampleBatch {
 public:
  explicit SampleBatch(std::span<const SampleView> views) {
    items_.reserve(views.size());
    samples_.reserve(views.size());
    for (const SampleView& view : views) add(view);
  }
  explicit SampleBatch(std::size_t capacity) {
    items_.reserve(capacity);
    samples_.reserve(capacity);
  }
  SampleBatch(const SampleBatch&) = delete;
  SampleBatch& operator=(const SampleBatch&) = delete;

  // At most `capacity` times.
  void add(const SampleView& view) {
    QED_CHECK(items_.size() < items_.capacity());
    qed_item& item = items_.emplace_back();  // filled in place, which is quicker than a copy
    item.size = sizeof item;
    item.key = to_abi(view.item->key);
    item.blob = bytes_to_abi(view.item->blob);
    qed_sample& sample = samples_.emplace_back();
    sample.size = sizeof sample;
    sample.finish = view.finish;
    sample.item = &item;
    sample.prompt = to_abi(view.prompt);
    if (!view.prefill.empty()) sample.prefill = to_abi(view.prefill);
    sample.text = to_abi(view.text);
    sample.tokens = {view.tokens.data(), view.tokens.size()};
    sample.group = view.group;
    sample.index = view.index;
    sample.max_new_tokens = view.max_new_tokens;
  }
  const qed_sample* sample(std::size_t i) const { return &samples_[i]; }

 private:
  std::vector<qed_item> items_;
  std::vector<qed_sample> samples_;
};

// Calls ask(indices) for all of [0, n), then again for those that are still pending, until none is.
// Waits longer and longer between calls. Calls give_up(i) for what is pending after `timeout_s`.
// With `whole` all are asked again while one is pending.
template <class Ask, class IsPending, class GiveUp>
void ask_until_scored(std::size_t n, bool whole, double timeout_s, Ask&& ask,
                      IsPending&& is_pending, GiveUp&& give_up) {
  using namespace std::chrono_literals;
  std::vector<std::size_t> open(n);
  std::iota(open.begin(), open.end(), 0u);
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout_s);
  for (auto wait = 1ms; !open.empty(); wait = std::min(2 * wait, 64ms)) {
    ask(std::span<const std::size_t>(open));
    const bool has_pending = std::ranges::any_of(open, is_pending);
    if (!has_pending) return;
    if (!whole) std::erase_if(open, [&](std::size_t i) { return !is_pending(i); });
    if (std::chrono::steady_clock::now() > until) {
      for (const std::size_t i : open) {
        if (is_pending(i)) give_up(i);
      }
      return;
    }
    std::this_thread::sleep_for(wait);
  }
}

}  // namespace qed
