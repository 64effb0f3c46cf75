// A task that reinforcement learning solves from nothing: `385>` is to be answered by the largest
// digit, 8. The items are "000" to "999"; those with crc32(item) % 5 == 0 are the split "test".
//
//   reward  1 for the exact answer, 0.5 x the share of right characters otherwise; 0 without end
//   token

#include "qed/hash.h"
#include "qed/task.h"

#include <algorithm>

namespace {

class Largest {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.largest",
      .name = "largest",
      .version = "1.0.0",
      .summary = "the largest of three digits",
  };
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"correct"};

  std::uint64_t count(std::string_view split) const { return keys(split).size(); }

  qed::Item load(std::string_view split, std::uint64_t i) const {
    const auto& all = keys(split);
    if (i >= all.size()) throw qed::Error("there is no item " + std::to_string(i));
    return {all[i], all[i]};
  }

  qed::Prompt render(const qed::ItemView& item) const {
    return {.text = std::string(item.blob) + ">"};
  }

  qed::Score verify(const qed::Sample& sample) const {
    const std::string expected = answer(sample.item);
    qed::Score score{.reward = 0, .verdict = qed::Verdict::kWrong};
    if (sample.finish != qed::Finish::kStop || sample.text.empty()) return score;
    if (sample.text == expected) {
      score.verdict = qed::Verdict::kRight;
      score.reward = score.terms[0] = 1;
    } else if (sample.text.starts_with(expected)) {
      score.reward = 0.5 / static_cast<double>(sample.text.size());
    }
    return score;
  }

  std::string demonstrate(const qed::ItemView& item, std::string_view, qed::Rng&) const {
    return answer(item);
  }

 private:
  static std::string answer(const qed::ItemView& item) {
    if (item.blob.empty()) throw qed::Error("the item is empty");
    return std::string(1, *std::ranges::max_element(item.blob));
  }

  static const std::vector<std::string>& keys(std::string_view split) {
    static const auto kTrain = select(false), kTest = select(true);
    if (split != "train" && split != "test") {
      throw qed::Error("there is no split `" + std::string(split) + "`", QED_INVALID);
    }
    return split == "test" ? kTest : kTrain;
  }

  static std::vector<std::string> select(bool held_out) {
    std::vector<std::string> out;
    for (int i = 1000; i < 2000; ++i) {
      std::string key = std::to_string(i).substr(1);
      if ((qed::crc32(key) % 5 == 0) == held_out) out.push_back(std::move(key));
    }
    return out;
  }
};

}  // namespace

QED_PLUGIN("dev.qed.test.largest", "Apache-2.0", qed::Task<Largest>);
