// bench/abi: what a call through the ABI costs per sample, in batches of 64: from the host's
// samples to the host's scores, with a verifier that does nothing. One thread.

#include "core/host/plugin_host.h"
#include "core/host/task.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kBatch = 64;
constexpr int kRounds = 2000, kRepeats = 15;

// Nanoseconds per sample of f(), the best and the middle of several measurements.
template <class F>
void print(const char* what, F&& f) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> ns;
  for (int r = 0; r < kRepeats; ++r) {
    const auto begin = Clock::now();
    for (int i = 0; i < kRounds; ++i) f();
    const std::chrono::duration<double, std::nano> time = Clock::now() - begin;
    ns.push_back(time.count() / kRounds / kBatch);
  }
  std::ranges::sort(ns);
  std::printf("%-34s %7.1f ns/sample (median %.1f)\n", what, ns.front(), ns[ns.size() / 2]);
}

// The C call alone: structs made once, no checks.
class RawCall {
 public:
  RawCall(const qed::Component& component, const qed_host* host)
      : table_(static_cast<const qed_task*>(component.abi->vtable)) {
    table_->object.create(host, call_.abi(), qed::to_abi("{}"), &self_);
    for (std::size_t i = 0; i < kBatch; ++i) {
      samples_[i].size = sizeof(qed_sample);
      samples_[i].item = &item_;
      samples_[i].text = qed::to_abi("text");
      scores_[i].size = sizeof(qed_score);
      scores_[i].terms = {&terms_[i], 1};
      sample_pointers_[i] = &samples_[i];
      score_pointers_[i] = &scores_[i];
    }
  }
  ~RawCall() { table_->object.destroy(self_); }
  void run() { table_->verify(self_, call_.abi(), sample_pointers_, score_pointers_, kBatch); }

 private:
  const qed_task* table_;
  void* self_ = nullptr;
  qed::PluginCall call_;
  qed_item item_ = {sizeof(qed_item), 0, qed::to_abi("key"), {}};
  qed_sample samples_[kBatch] = {};
  qed_score scores_[kBatch] = {};
  float terms_[kBatch] = {};
  const qed_sample* sample_pointers_[kBatch];
  qed_score* score_pointers_[kBatch];
};

}  // namespace

int main(int argc, char** argv) try {
  qed::PluginHost host({argc > 1 ? argv[1] : "."});
  const qed::Component& component = host.load("task", "blank");
  const qed::Task task(component, "{}", host.abi());
  const qed::Item item{"key", "{}"};
  std::vector<qed::SampleView> samples;
  for (std::size_t i = 0; i < kBatch; ++i) {
    samples.push_back({.item = &item,
                       .prompt = "prompt",
                       .prefill = {},
                       .text = "text",
                       .tokens = {},
                       .finish = QED_FINISH_STOP,
                       .group = 0,
                       .index = i,
                       .max_new_tokens = 0});
  }
  RawCall raw(component, host.abi());
  print("the C call", [&] { raw.run(); });
  print("Task::verify, with all checks", [&] {
    if (task.verify(samples, 0)[0].reward != 1) std::abort();
  });
} catch (const std::exception& e) {
  std::fprintf(stderr, "bench_abi: %s\n", e.what());
  return 1;
}
