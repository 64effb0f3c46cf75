// A task whose verifier has the fault that QED_TEST_FAULT in the environment names, so that one run
// can meet it and go on without: "fails 3" for the first completion of the first three groups of a
// step; evaluations go well. The faults are fails, nan, throws, sleeps (0.3 s), hangs; "equal 0"
// rewards all alike. Without a fault a completion's reward is a tenth of its length.

#include "qed/task.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace {

constexpr std::int32_t kThrow = QED_DEAD;  // for `verify` below, past the SDK's catch

class Faulty {
 public:
  static constexpr qed::Info kInfo{.id = "dev.qed.test.faulty",
                                   .name = "faulty",
                                   .version = "1.0.0",
                                   .summary = "has the fault that the environment names"};
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"length"};

  std::uint64_t count(std::string_view) const { return 500; }

  qed::Item load(std::string_view split, std::uint64_t i) const {
    const std::string key = std::to_string((split == "test" ? 1500 : 1000) + i).substr(1);
    return {key, key};
  }

  qed::Prompt render(const qed::ItemView& item) const {
    return {.text = std::string(item.blob) + ">"};
  }

  qed::Score verify(const qed::Sample& sample) const {
    std::string fault;
    std::uint64_t num_groups = 0;
    if (const char* text = std::getenv("QED_TEST_FAULT"))
      std::istringstream(text) >> fault >> num_groups;
    qed::Score score{.reward = static_cast<double>(sample.text.size()) / 10,
                     .verdict = qed::Verdict::kWrong};
    if (fault == "equal") score.reward = 0;
    const bool is_held_out = sample.item.key >= "500";
    if (!is_held_out && sample.group < num_groups && sample.index == 0) misbehave(fault, score);
    return score;
  }

  std::string demonstrate(const qed::ItemView& item, std::string_view, qed::Rng&) const {
    return std::string(item.blob);
  }

 private:
  static void misbehave(const std::string& fault, qed::Score& score) {
    if (fault == "fails") throw qed::Error("the judge is not at home");
    if (fault == "nan") score.reward = NAN;
    if (fault == "throws") throw qed::Error("", kThrow);
    if (fault == "sleeps") std::this_thread::sleep_for(std::chrono::milliseconds(300));
    if (fault == "hangs") std::this_thread::sleep_for(std::chrono::hours(1));
  }
};

std::int32_t verify(const void* self, qed_call* call, const qed_sample* const* samples,
                    qed_score* const* scores, std::uint64_t n) {
  const std::int32_t status = qed::Task<Faulty>::verify(self, call, samples, scores, n);
  for (std::uint64_t i = 0; i < n; ++i) {
    if (scores[i]->status == kThrow) throw std::runtime_error("the judge has left");
  }
  return status;
}

// The component of the SDK with the function above in its table.
struct Throwing {
  static const qed_component* component() {
    static qed_component copy = *qed::Task<Faulty>::component();
    static qed_task table = *static_cast<const qed_task*>(copy.vtable);
    table.verify = &verify;
    copy.vtable = &table;
    return &copy;
  }
};

}  // namespace

QED_PLUGIN("dev.qed.test.faulty", "Apache-2.0", Throwing);
