// The task of the zoo in C++: an exception leaves `verify` for an item that it does not know. The
// SDK would have caught it.

#include <stdexcept>

#include "qed/task.h"

namespace {

class Doubling {
 public:
  static constexpr qed::Info kInfo{.id = "dev.qed.zoo.throws",
                                   .name = "throws",
                                   .version = "1.0.0",
                                   .summary = "has one fault: throws"};
  static constexpr std::string_view kSplits[] = {"train"};
  static constexpr std::string_view kTerms[] = {"correct"};

  std::uint64_t count(std::string_view split) const {
    if (split != "train") throw qed::Error("there is no such split", QED_INVALID);
    return 100;
  }
  qed::Item load(std::string_view split, std::uint64_t i) const {
    if (i >= count(split)) throw qed::Error("there is no such item", QED_INVALID);
    return {std::to_string(i), std::to_string(i)};
  }
  qed::Prompt render(const qed::ItemView& item) const {
    return {.text = "double " + std::to_string(number(item))};
  }
  qed::Score verify(const qed::Sample& s) const {
    const bool is_right = s.text == std::to_string(2 * number(s.item));
    qed::Score out{.reward = is_right ? 1.0 : 0.0};
    out.verdict = is_right ? qed::Verdict::kRight : qed::Verdict::kWrong;
    return out;
  }
  std::string demonstrate(const qed::ItemView& item, std::string_view, qed::Rng&) const {
    return std::to_string(2 * number(item));
  }

 private:
  static long number(const qed::ItemView& item) {
    if (item.blob.empty() || item.blob.find_first_not_of("0123456789") != item.blob.npos) {
      throw qed::Error("this is no item of the task");
    }
    return std::stol(std::string(item.blob));
  }
};

std::int32_t verify(const void* self, qed_call* call, const qed_sample* const* samples,
                    qed_score* const* scores, std::uint64_t n) {
  const std::int32_t status = qed::Task<Doubling>::verify(self, call, samples, scores, n);
  for (std::uint64_t i = 0; i < n; ++i) {
    if (scores[i]->status != QED_OK) throw std::runtime_error("an item is bad");
  }
  return status;
}

// The component of the SDK with the faulty function in its table.
struct Throwing {
  static const qed_component* component() {
    static qed_component copy = *qed::Task<Doubling>::component();
    static qed_task table = *static_cast<const qed_task*>(copy.vtable);
    table.verify = &verify;
    copy.vtable = &table;
    return &copy;
  }
};

}  // namespace

QED_PLUGIN("dev.qed.zoo", "Apache-2.0", Throwing);
