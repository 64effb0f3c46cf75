// bench_abi PLUGINS: nanoseconds per completion of a verifier that does next to nothing, in batches
// of 64, on one thread: called in C++, through the C function of its plugin, and through
// qed::Task::verify, as the engine does. Prints JSON: for each of the three, all measurements.

#include "bench/direct.h"
#include "bench/timer.h"
#include "core/host/plugin_call.h"
#include "core/host/plugin_host.h"
#include "core/host/task.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kBatch = 64, kBatches = 32;
constexpr int kRepeats = 31;
constexpr double kSeconds = 0.05;

// The completions: as many items and texts as samples.
struct Samples {
  Samples() {
    for (std::size_t i = 0; i < kBatch * kBatches; ++i) {
      items.push_back({"key " + std::to_string(i), "{\"n\":" + std::to_string(i) + "}"});
      texts.push_back(std::string(280 + i % 41, 'x'));
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      views.push_back({.item = &items[i],
                       .prompt = "prompt <think>",
                       .prefill = "<think>",
                       .text = texts[i],
                       .tokens = {},
                       .finish = QED_FINISH_STOP,
                       .group = i / 8,
                       .index = i % 8});
    }
  }
  std::span<const qed::SampleView> batch(std::size_t b) const {
    return std::span(views).subspan(b * kBatch, kBatch);
  }

  std::vector<qed::Item> items;
  std::vector<std::string> texts;
  std::vector<qed::SampleView> views;
};

// The C call alone: structs made once, no checks, notes thrown away.
class RawCall {
 public:
  RawCall(const qed::Component& component, const qed_host* host, const Samples& in)
      : table_(static_cast<const qed_task*>(component.abi->vtable)),
        items_(in.views.size()),
        samples_(in.views.size()),
        sample_pointers_(in.views.size()) {
    table_->object.create(host, call_.abi(), qed::to_abi("{}"), &self_);
    for (std::size_t i = 0; i < in.views.size(); ++i) {
      items_[i].size = sizeof(qed_item);
      items_[i].key = qed::to_abi(in.items[i].key);
      samples_[i].size = sizeof(qed_sample);
      samples_[i].item = &items_[i];
      samples_[i].text = qed::to_abi(in.texts[i]);
      sample_pointers_[i] = &samples_[i];
    }
    for (std::size_t i = 0; i < kBatch; ++i) {
      scores_[i].size = sizeof(qed_score);
      scores_[i].terms = {terms_[i], 3};
      scores_[i].note = &note_;
      score_pointers_[i] = &scores_[i];
    }
  }
  RawCall(const RawCall&) = delete;
  ~RawCall() { table_->object.destroy(self_); }

  double run(std::size_t b) {
    table_->verify(self_, call_.abi(), &sample_pointers_[b * kBatch], score_pointers_, kBatch);
    return scores_[0].reward;
  }

 private:
  static std::int32_t drop(qed_writer*, const std::uint8_t*, std::uint64_t) { return 0; }

  const qed_task* table_;
  void* self_ = nullptr;
  qed::PluginCall call_;
  qed_writer note_ = {sizeof(qed_writer), 0, nullptr, &drop};
  std::vector<qed_item> items_;
  std::vector<qed_sample> samples_;
  std::vector<const qed_sample*> sample_pointers_;
  qed_score scores_[kBatch] = {};
  float terms_[kBatch][3] = {};
  qed_score* score_pointers_[kBatch];
};

}  // namespace

int main(int argc, char** argv) try {
  qed::PluginHost host({argc > 1 ? argv[1] : "."});
  const qed::Component& component = host.load("task", "blank");
  const qed::Task task(component, "{}", host.abi());
  const Samples samples;
  RawCall raw(component, host.abi(), samples);

  nlohmann::json out = {{"sum", 0.0}};
  double sum = 0;  // keeps the work from being left out
  const auto measure = [&](const char* what, auto&& run) {
    const double per_s = bench::rate(kSeconds, [&] {
      for (std::size_t b = 0; b < kBatches; ++b) sum += run(b);
      return kBatch * kBatches;
    });
    out[what].push_back(1e9 / per_s);
  };
  for (int repeat = 0; repeat < kRepeats; ++repeat) {  // in turn: all three see the same machine
    measure("direct", [&](std::size_t b) {
      return bench::score_directly(&samples.texts[b * kBatch], kBatch);
    });
    measure("raw", [&](std::size_t b) { return raw.run(b); });
    measure("task", [&](std::size_t b) { return task.verify(samples.batch(b), 0)[0].reward; });
  }
  out["sum"] = sum;
  std::printf("%s\n", out.dump().c_str());
} catch (const std::exception& e) {
  std::fprintf(stderr, "bench_abi: %s\n", e.what());
  return 1;
}
