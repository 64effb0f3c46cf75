// A task that misbehaves on request: the item's blob or the completion's text says how. Not
// QED_CONCURRENT.

#include "qed/task.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

namespace {

class Moody {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.moody.task",
      .name = "moody",
      .version = "1.0.0",
      .summary = "misbehaves on request",
      .flags = 0,
  };
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"first", "second"};

  std::uint64_t count(std::string_view split) const {
    if (split == "moon") throw qed::Error("there is no split `moon`", QED_INVALID);
    return 3;
  }

  qed::Item load(std::string_view, std::uint64_t i) const {
    if (i == 1) throw qed::Error("row 1 is torn");
    if (i == 2) return {"", "blob"};
    if (i == 3) return {"k\xFFy", "blob"};
    if (i == 4) return {std::string(5000, 'k'), "blob"};
    return {"key", std::string("bl\0b", 4)};
  }

  qed::Prompt render(const qed::ItemView& item) const {
    if (item.blob == "both") return {.messages = "[]", .text = "x"};
    if (item.blob == "neither") return {};
    if (item.blob == "not json") return {.messages = "[{"};
    if (item.blob == "throw") throw qed::Error("the template is empty");
    return {.messages = R"([{"role":"user","content":"hi"}])",
            .prefill = "<think>",
            .stop = {"\n\n", "\"end\""},
            .max_new_tokens = 7,
            .keep_special = true};
  }

  qed::Score verify(const qed::Sample& sample) const {
    if (sample.text == "throw")
      throw qed::Error("no verdict on sample " + std::to_string(sample.index));
    if (sample.text == "throw int") throw 42;
    if (sample.text == "overlap") return overlap();
    if (sample.text == "sleep") std::this_thread::sleep_for(std::chrono::minutes(1));
    qed::Score score{.reward = 0.25, .verdict = qed::Verdict::kWrong, .note = "a quarter"};
    score.terms = {1, 2};
    if (sample.text == "nan") score.reward = NAN;
    if (sample.text == "inf") score.reward = INFINITY;
    if (sample.text == "nan term") score.terms[1] = NAN;
    if (sample.text == "long note") score.note = std::string(10000, 'n');
    if (sample.text == "bad note") score.note = "n\xC3";
    return score;
  }

  std::string demonstrate(const qed::ItemView& item, std::string_view style, qed::Rng& rng) const {
    if (style == "none") throw qed::Error("not this one", QED_UNSUPPORTED);
    if (style == "bad") throw qed::Error("there is no style `bad`", QED_INVALID);
    return std::string(item.key) + std::to_string(rng.next());
  }

 private:
  // The reward is the largest number of calls that ran at one time.
  static qed::Score overlap() {
    static std::atomic<int> running = 0, most = 0;
    const int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    --running;
    return {.reward = static_cast<double>(most)};
  }
};

// The SDK never answers PENDING and always sets a status; a C plugin may do otherwise.
struct Component {
  static std::int32_t verify(const void* self, qed_call* call, const qed_sample* const* samples,
                             qed_score* const* scores, std::uint64_t n) {
    static std::atomic<int> times = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      const std::string_view text = qed::view(samples[i]->text);
      if (text == "untouched") continue;
      if (text == "spoil the batch")
        return qed::fail(call->err, QED_RESOURCE, "no sandbox is free");
      if (text == "pending" && ++times % 3 != 0) {
        scores[i]->status = QED_PENDING;
        continue;
      }
      const auto rest = qed::Task<Moody>::verify(self, call, samples + i, scores + i, 1);
      if (rest != QED_OK) return rest;
      if (text == "odd verdict") scores[i]->verdict = 17;
    }
    return QED_OK;
  }

  static const qed_component* component() {
    static qed_component component = *qed::Task<Moody>::component();
    static qed_task table = *static_cast<const qed_task*>(component.vtable);
    table.verify = &verify;
    component.vtable = &table;
    return &component;
  }
};

}  // namespace

QED_PLUGIN("dev.qed.test.moody", "Apache-2.0", Component);
