// Arithmetic: `784+737=?`, to be answered as <think>...</think><answer>1521</answer>.
//
//   reward  1 for the exact answer, 0.1 for the format alone, else 0; 0 without an end token
//   test    the items whose crc32("min+max") is a multiple of 5; train: the others

#include "qed/hash.h"
#include "qed/task.h"

#include <charconv>
#include <optional>

namespace {

constexpr std::string_view kThink = "<think>", kThinkEnd = "</think>";
constexpr std::string_view kAnswer = "<answer>", kAnswerEnd = "</answer>";

struct Sum {
  std::int64_t a = 0, b = 0;

  std::string text() const { return std::to_string(a) + "+" + std::to_string(b); }
  std::string key() const { return Sum{std::min(a, b), std::max(a, b)}.text(); }
  std::string result() const { return std::to_string(a + b); }
  bool is_held_out() const { return qed::crc32(key()) % 5 == 0; }
};

constexpr std::size_t kMaxBlob = 19;  // two numbers of nine digits: no overflow whatever the blob

Sum parse(std::string_view blob) {
  Sum sum;
  blob = blob.substr(0, kMaxBlob + 1);
  const char* end = blob.data() + blob.size();
  const auto [plus, bad_a] = std::from_chars(blob.data(), end, sum.a);
  if (blob.size() <= kMaxBlob && bad_a == std::errc() && plus != end && *plus == '+') {
    const auto [rest, bad_b] = std::from_chars(plus + 1, end, sum.b);
    if (bad_b == std::errc() && rest == end) return sum;
  }
  throw qed::Error("this is no item of the task");
}

bool is_once(std::string_view text, std::string_view tag) {
  const auto at = text.find(tag);
  return at != text.npos && text.find(tag, at + 1) == text.npos;
}

// What stands between the answer tags, if the four tags are there once each, in order, with nothing
// before, after, or between thought and answer.
std::optional<std::string_view> extract(std::string_view text) {
  for (const auto tag : {kThink, kThinkEnd, kAnswer, kAnswerEnd}) {
    if (!is_once(text, tag)) return std::nullopt;
  }
  const auto thought_end = text.find(kThinkEnd), answer = text.find(kAnswer);
  if (!text.starts_with(kThink) || !text.ends_with(kAnswerEnd) ||
      answer != thought_end + kThinkEnd.size()) {
    return std::nullopt;
  }
  text.remove_prefix(answer + kAnswer.size());
  text.remove_suffix(kAnswerEnd.size());
  return text;
}

class Arithmetic {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.arithmetic",
      .name = "arithmetic",
      .version = "1.0.0",
      .summary = "sums of two numbers, with or without the working",
  };
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"correct", "format"};

  void options(qed::Options& o) {
    o("operator", operator_, {.choices = {"add"}, .help = "what is done with the two numbers"});
    o("digits", digits_, {.min = 1, .max = 9, .help = "of each number"});
    o("working", working_,
      {.min = 0, .max = 1, .help = "part of the demonstrations that show the working"});
  }

  std::uint64_t count(std::string_view split) const {
    if (split == "train" || split == "test") return qed::kGenerative;
    throw qed::Error("there is no split `" + std::string(split) + "`", QED_INVALID);
  }

  qed::Item load(std::string_view split, std::uint64_t index) const {
    count(split);
    qed::Rng rng(qed::KeyHash().add("arithmetic").add(split).add(index).value());
    std::int64_t low = 1;
    for (std::int64_t i = 1; i < digits_; ++i) low *= 10;
    for (;;) {
      const std::int64_t a = rng.integer(low, 10 * low - 1);
      const Sum sum = {a, rng.integer(low, 10 * low - 1)};
      if (sum.is_held_out() == (split == "test")) return {sum.key(), sum.text()};
    }
  }

  qed::Prompt render(const qed::ItemView& item) const {
    return {.text = parse(item.blob).text() + "=?"};
  }

  qed::Score verify(const qed::Sample& sample) const {
    const std::string expected = parse(sample.item.blob).result();
    const auto answer = extract(sample.text);
    if (sample.finish != qed::Finish::kStop) return score(0, "no end token");
    if (!answer) return score(0, "the tags are not once each, in order, with nothing outside");
    if (*answer != expected) return score(0.1, "wrong, expected " + expected);
    return score(1, "right");
  }

  std::string demonstrate(const qed::ItemView& item, std::string_view style, qed::Rng& rng) const {
    const Sum sum = parse(item.blob);
    const bool shows_working = style == "working" || (style.empty() && rng.real() < working_);
    if (!shows_working && !style.empty() && style != "direct") {
      throw qed::Error("there is no style `" + std::string(style) + "`", QED_INVALID);
    }
    std::string text(kThink);
    if (shows_working) text += working(sum);
    ((text += kThinkEnd) += kAnswer) += sum.result();
    return text += kAnswerEnd;
  }

 private:
  static qed::Score score(double reward, std::string note) {
    qed::Score out{.reward = reward, .note = std::move(note)};
    out.verdict = reward == 1 ? qed::Verdict::kRight : qed::Verdict::kWrong;
    out.terms[0] = reward == 1 ? 1 : 0;
    out.terms[1] = reward > 0 ? 1 : 0;
    return out;
  }

  // Column by column from the units: digit + digit + carry = two digits; then the result.
  static std::string working(Sum sum) {
    const std::string result = sum.result();
    std::string out;
    for (std::int64_t carry = 0; sum.a > 0 || sum.b > 0; sum.a /= 10, sum.b /= 10) {
      const std::int64_t x = sum.a % 10, y = sum.b % 10, column = x + y + carry;
      out += std::to_string(x) + "+" + std::to_string(y) + "+" + std::to_string(carry) + "=" +
             std::to_string(column / 10) + std::to_string(column % 10) + ",";
      carry = column / 10;
    }
    return out + "=" + result;
  }

  std::string operator_ = "add";
  std::int64_t digits_ = 3;
  double working_ = 0.5;
};

}  // namespace

QED_PLUGIN("dev.qed.arithmetic", "Apache-2.0", qed::Task<Arithmetic>);
