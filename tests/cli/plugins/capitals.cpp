// A task for the transcripts: four countries as chat messages with a prefill, two terms of
// reward, notes, and demonstrations. It wants whole groups.

#include "qed/json.h"
#include "qed/task.h"

namespace {

struct Country {
  std::string name, capital;
};

const Country kCountries[] = {
    {"France", "Paris"}, {"Peru", "Lima"}, {"Japan", "Tokyo"}, {"Kenya", "Nairobi"}};

constexpr char kSystem[] = "You are a helpful assistant.\nAnswer with one word.";

Country parse(std::string_view blob) {
  Country country;
  qed::json::Reader in(blob);
  in.object([&](std::string_view key) {
    if (key == "country") {
      country.name = in.string();
    } else if (key == "capital") {
      country.capital = in.string();
    } else {
      in.skip();
    }
  });
  in.finish();
  if (country.capital.empty()) throw qed::Error("the item has no `capital`", QED_DATA);
  return country;
}

class Capitals {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.capitals",
      .name = "capitals",
      .version = "1.0.0",
      .summary = "capitals of countries",
      .flags = QED_CONCURRENT | QED_DETERMINISTIC | QED_WHOLE_GROUPS,
  };
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"correct", "short"};

  void options(qed::Options& o) {
    o("language", language_, {.choices = {"en", "fr"}, .help = "of the question"});
    o("bonus", bonus_, {.min = 0, .max = 1, .help = "for an answer of one word"});
  }

  std::uint64_t count(std::string_view split) const { return split == "train" ? 3 : 1; }

  qed::Item load(std::string_view split, std::uint64_t index) const {
    const Country& c = kCountries[split == "train" ? index : 3];
    return {c.name, "{\"country\": \"" + c.name + "\", \"capital\": \"" + c.capital + "\"}"};
  }

  qed::Prompt render(const qed::ItemView& item) const {
    const std::string name = parse(item.blob).name;
    const std::string question = language_ == "fr" ? "Quelle est la capitale ? " + name
                                                   : "What is the capital of " + name + "?";
    return {.messages = "[{\"role\":\"system\",\"content\":" + qed::json::write(kSystem) +
                        "},{\"role\":\"user\",\"content\":" + qed::json::write(question) + "}]",
            .prefill = "The capital is",
            .stop = {"."}};
  }

  qed::Score verify(const qed::Sample& sample) const {
    const std::string capital = parse(sample.item.blob).capital;
    const bool is_right = sample.text.find(capital) != sample.text.npos;
    const bool is_short = sample.text.size() <= capital.size() + 1;
    qed::Score score{.reward = (is_right ? 1.0 : 0.0) + (is_short ? bonus_ : 0.0)};
    score.verdict = is_right ? qed::Verdict::kRight : qed::Verdict::kWrong;
    score.terms[0] = is_right ? 1 : 0;
    score.terms[1] = is_short ? static_cast<float>(bonus_) : 0;
    if (!is_right) score.note = "expected " + capital;
    if (sample.index > 0)
      score.note += "; number " + std::to_string(sample.index) + " of its group";
    return score;
  }

  std::string demonstrate(const qed::ItemView& item, std::string_view, qed::Rng&) const {
    return " " + parse(item.blob).capital;
  }

 private:
  std::string language_ = "en";
  double bonus_ = 0.1;
};

}  // namespace

QED_PLUGIN("dev.qed.test.capitals", "Apache-2.0", qed::Task<Capitals>);
