#include "core/report/sample_file.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/report/lines.h"

namespace qed {
namespace {

using nlohmann::json;

// Reads a row as it comes, without a tree: most of a row is text.
class RowReader : public nlohmann::json_sax<json> {
 public:
  // Whether the line is a row of samples; `samples` has its completions.
  bool read(const std::string& line, std::size_t number) {
    head_ = {};
    is_odd_ = false;
    row_ = {};
    samples.clear();
    depth_ = 0, base_ = 1, field_ = Field::kOther;
    if (!json::sax_parse(line, this)) return false;
    if (!row_.has_completion && samples.empty()) return false;
    row_.has_completion ? finish_sample() : void(head_.group = static_cast<std::int64_t>(number));
    for (LoggedSample& s : samples) {
      s.global_step = head_.global_step;
      s.group = head_.group;
      s.item = head_.item;
      s.prompt = head_.prompt;
      s.temperature = head_.temperature;
    }
    return !is_odd_;
  }

  std::vector<LoggedSample> samples;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t x) override { return integer(x); }
  bool number_unsigned(std::uint64_t x) override { return integer(static_cast<std::int64_t>(x)); }
  bool number_float(double x, const std::string&) override { return number(x); }
  bool binary(json::binary_t&) override { return true; }

  bool string(std::string& text) override {
    if (field_ == Field::kPrompt && (depth_ == base_ || is_content_)) head_.prompt += text;
    if (depth_ != base_) return true;
    switch (field_) {
      case Field::kCompletion:
        row_.sample.completion.swap(text);
        row_.has_completion = true;
        break;
      case Field::kItem:
        head_.item.swap(text);
        break;
      case Field::kFinish:
        row_.sample.is_cut = text == "length";
        break;
      case Field::kVerdict:
        row_.verdict.swap(text);
        break;
      default:
        break;
    }
    return true;
  }

  bool key(std::string& name) override {
    if (depth_ == base_) {
      field_ = field_of(name);
    } else if (field_ == Field::kTerms) {
      term_ = 0;
      while (term_ < kFormatTerms.size() && kFormatTerms[term_] != name) ++term_;
    } else {
      is_content_ = name == "content";
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (++depth_ == 3 && base_ == 1 && field_ == Field::kSamples) {
      base_ = 3;
      row_ = {};
    }
    return true;
  }
  bool end_object() override {
    if (depth_-- == 3 && base_ == 3) {
      base_ = 1;
      finish_sample();
      row_ = {};
      field_ = Field::kSamples;
    }
    return true;
  }
  bool start_array(std::size_t) override { return ++depth_, true; }
  bool end_array() override { return --depth_, true; }
  bool parse_error(std::size_t, const std::string&, const json::exception&) override {
    return false;
  }

 private:
  enum class Field {
    kOther,
    kStep,
    kGroup,
    kItem,
    kPrompt,
    kTemperature,
    kSamples,
    kCompletion,
    kFinish,
    kTokens,
    kReward,
    kVerdict,
    kTerms
  };
  // Terms that say whether an answer could be read, the first that a row has.
  static constexpr std::array<std::string_view, 3> kFormatTerms = {"format", "answered", "built"};

  struct Row {
    LoggedSample sample;
    std::string verdict;
    bool has_completion = false;
    std::array<std::optional<double>, kFormatTerms.size()> terms;
  };

  static Field field_of(std::string_view name) {
    constexpr std::pair<std::string_view, Field> kFields[] = {
        {"training/global_step", Field::kStep},
        {"group", Field::kGroup},
        {"item", Field::kItem},
        {"prompt", Field::kPrompt},
        {"temperature", Field::kTemperature},
        {"samples", Field::kSamples},
        {"completion", Field::kCompletion},
        {"finish", Field::kFinish},
        {"num_tokens", Field::kTokens},
        {"reward", Field::kReward},
        {"verdict", Field::kVerdict},
        {"terms", Field::kTerms}};
    for (const auto& [known, field] : kFields) {
      if (name == known) return field;
    }
    return Field::kOther;
  }

  bool integer(std::int64_t x) {
    if (depth_ == base_) {
      if (field_ == Field::kStep) head_.global_step = x;
      if (field_ == Field::kGroup) head_.group = x;
      if (field_ == Field::kTokens) row_.sample.num_tokens = x;
    }
    return number(static_cast<double>(x));
  }

  bool number(double x) {
    if (depth_ == base_ && field_ == Field::kReward) row_.sample.is_scored = true;
    if (depth_ == base_ && field_ == Field::kTemperature) head_.temperature = x;
    const bool is_term = depth_ == base_ + 1 && field_ == Field::kTerms;
    if (is_term && term_ < kFormatTerms.size()) row_.terms[term_] = x;
    return true;
  }

  void finish_sample() {
    LoggedSample& s = row_.sample;
    is_odd_ |= !row_.has_completion || row_.verdict.empty();
    s.is_right = row_.verdict == "right";
    s.is_formatted = row_.verdict != "none";
    for (const std::optional<double>& term : row_.terms) {
      if (!term) continue;
      s.is_formatted = *term > 0;
      break;
    }
    samples.push_back(std::move(s));
  }

  LoggedSample head_;
  Row row_;
  int depth_ = 0, base_ = 1;  // of the line, of the members of a sample
  Field field_ = Field::kOther;
  std::size_t term_ = 0;
  bool is_content_ = false;  // the value that comes is a message's text
  bool is_odd_ = false;
};

}  // namespace

bool for_each_sample(const std::filesystem::path& file,
                     const std::function<void(const LoggedSample&)>& use,
                     const std::function<bool(std::string_view line)>& wants) {
  RowReader reader;
  return for_each_line(file, [&](const std::string& line, std::size_t number) {
    if (wants && !wants(line)) return;
    if (!reader.read(line, number)) bad_line(file, number, "samples");
    for (const LoggedSample& sample : reader.samples) use(sample);
  });
}

}  // namespace qed
