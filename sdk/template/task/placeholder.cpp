// placeholder: is the number of ones in a string of bits even or odd? The reward is 1 if the
// completion ends with the right word. Split test holds every fifth string, train the others.

#include "qed/task.h"

namespace {

class Placeholder {
 public:
  static constexpr qed::Info kInfo{.id = "com.example.placeholder",
                                   .name = "placeholder",
                                   .version = "1.0.0",
                                   .summary = "is the number of ones even or odd?"};
  static constexpr std::string_view kSplits[] = {"train", "test"}, kTerms[] = {"correct"};

  void options(qed::Options& o) { o("bits", bits_, {.min = 4, .max = 32, .help = "in a string"}); }

  std::uint64_t count(std::string_view split) const {
    const std::uint64_t all = std::uint64_t{1} << bits_, test = (all + 4) / 5;
    if (split == "train" || split == "test") return split == "test" ? test : all - test;
    throw qed::Error("there is no split `" + std::string(split) + "`", QED_INVALID);
  }
  qed::Item load(std::string_view split, std::uint64_t i) const {
    if (i >= count(split)) throw qed::Error("there is no item " + std::to_string(i), QED_INVALID);
    const std::uint64_t number = split == "test" ? 5 * i : i + i / 4 + 1;
    std::string text;
    for (auto bit = bits_; bit-- > 0;) text += (number >> bit & 1) != 0 ? '1' : '0';
    return {.key = text, .blob = text};
  }
  qed::Prompt render(const qed::ItemView& item) const {
    answer(item);  // throws where the item is none of this task's
    const std::string question = "Is the number of ones in " + std::string(item.blob) +
                                 " even or odd? End with: even, or with: odd";
    return {.messages = R"([{"role":"user","content":)" + qed::json::write(question) + "}]"};
  }
  qed::Score verify(const qed::Sample& sample) const {
    const std::string_view right = answer(sample.item);
    const bool is_right = sample.text.ends_with(right);
    return {.reward = is_right ? 1.0 : 0.0,
            .verdict = is_right ? qed::Verdict::kRight : qed::Verdict::kWrong,
            .terms = {is_right ? 1.0f : 0.0f},
            .note = "it is " + std::string(right)};
  }
  std::string demonstrate(const qed::ItemView& item, std::string_view, qed::Rng&) const {
    return std::string(answer(item));
  }

 private:
  static std::string_view answer(const qed::ItemView& item) {
    const bool is_bits = item.blob.find_first_not_of("01") == item.blob.npos;
    if (!is_bits || item.blob.empty()) throw qed::Error("the item is no string of bits");
    return std::count(item.blob.begin(), item.blob.end(), '1') % 2 == 0 ? "even" : "odd";
  }
  std::int64_t bits_ = 8;
};

}  // namespace

QED_PLUGIN("com.example.placeholder", "Apache-2.0", qed::Task<Placeholder>);
