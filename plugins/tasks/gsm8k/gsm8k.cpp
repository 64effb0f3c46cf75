// GSM8K: grade-school word problems with a number as answer, from a data file.

#include "qed/rows.h"
#include "qed/task.h"

#include "qed/json.h"
#include "qed/tags.h"
#include "qed/unicode.h"

#include "item.h"
#include "number.h"
#include "rules.h"

namespace {

constexpr std::string_view kVerlSuffix =
    " Let's think step by step and output the final answer after \"####\".";
constexpr std::string_view kGrpoDemoSystem =
    "\nRespond in the following "
    "format:\n<reasoning>\n...\n</reasoning>\n<answer>\n...\n</answer>\n";

class Gsm8k {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.gsm8k",
      .name = "gsm8k",
      .version = "1.0.0",
      .summary = "grade-school word problems with a number as answer",
  };
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"correct", "format"};

  void options(qed::Options& o) {
    o("data", data_,
      {.help = "rows to train on: question, answer with #### n; \"\": none", .required = true});
    o("eval_data", eval_data_, {.help = "rows of the split `test`"});
    o("bad_rows", bad_rows_, {.choices = {"error", "skip"}, .help = "what a bad row does"});
    o("template", template_, {.choices = {"verl", "grpo_demo", "plain"}, .help = "whose prompt"});
    o("reward", reward_,
      {.choices = {"exact", "verl_strict", "verl_flexible", "tinyzero_strict", "tinyzero_flexible",
                   "grpo_demo"},
       .help = "whose rule"});
    o("score", score_, {.help = "verl, tinyzero: for the right answer"});
    o("format_score", format_score_, {.help = "verl, tinyzero: for another answer"});
  }

  void check() const {
    const bool wants_tags = reward_ == "grpo_demo", wants_hashes = reward_.ends_with("_strict");
    const bool has_tags = template_ == "grpo_demo";
    if ((wants_tags && !has_tags) || (wants_hashes && has_tags)) {
      throw qed::Error("the reward `" + reward_ + "` does not read what the template `" +
                           template_ + "` asks for",
                       QED_INVALID);
    }
  }

  void open(const qed::Host& host) {
    for (const auto& [path, rows] : {std::pair(&data_, &train_), std::pair(&eval_data_, &test_)}) {
      if (!path->empty()) rows->open(host, *path, gsm8k::from_row, bad_rows_ == "skip");
    }
  }

  std::uint64_t count(std::string_view split) const { return rows(split).count(); }
  qed::Item load(std::string_view split, std::uint64_t i) const { return rows(split).item(i); }

  qed::Prompt render(const qed::ItemView& item) const {
    const std::string question = gsm8k::read_contents(item.blob).question;
    if (template_ == "plain") return {.text = "Question: " + question + "\nAnswer:"};
    const auto message = [](std::string_view role, std::string_view content) {
      return R"({"role":")" + std::string(role) + R"(","content":)" + qed::json::write(content) +
             "}";
    };
    if (template_ == "verl") {
      return {.messages = "[" + message("user", question + std::string(kVerlSuffix)) + "]"};
    }
    return {.messages =
                "[" + message("system", kGrpoDemoSystem) + "," + message("user", question) + "]"};
  }

  qed::Score verify(const qed::Sample& sample) const {
    const std::string gold = gsm8k::read_gold(sample.item.blob);
    if (reward_ == "exact") return exact(sample, gold);
    if (reward_ == "grpo_demo") {
      const bool is_right = gsm8k::in_answer_tag(sample.text) == gold;
      return score(is_right ? 2 : 0, is_right, sample.text.find("<answer>") != std::string::npos);
    }
    const auto answer = extract(sample);
    if (!answer) return score(0, false, false);
    const bool is_right = *answer == gold;
    return score(is_right ? score_ : format_score_, is_right, true);
  }

  std::string demonstrate(const qed::ItemView& item, std::string_view style, qed::Rng&) const {
    if (!style.empty() && style != "annotated" && style != "clean") {
      throw qed::Error("there is no style `" + std::string(style) + "`", QED_INVALID);
    }
    gsm8k::Contents c = gsm8k::read_contents(item.blob);
    if (!gsm8k::gold_answer(c.answer)) throw qed::Error("this item has no `answer` to show");
    if (style == "clean") c.answer = without_annotations(c.answer);
    if (template_ != "grpo_demo") return (template_ == "plain" ? " " : "") + c.answer;
    const auto end = c.answer.rfind("####");
    const auto thought = qed::strip_right(std::string_view(c.answer).substr(0, end));
    return "<reasoning>\n" + std::string(thought) + "\n</reasoning>\n<answer>\n" + c.gold +
           "\n</answer>\n";
  }

 private:
  const qed::Rows& rows(std::string_view split) const {
    if (split == "train") return train_;
    if (split == "test") return test_;
    throw qed::Error("there is no split `" + std::string(split) + "`", QED_INVALID);
  }

  // By verl's and TinyZero's rules. TinyZero reads the prompt too.
  std::optional<std::string> extract(const qed::Sample& sample) const {
    const bool is_verl = reward_.starts_with("verl"), is_strict = reward_.ends_with("_strict");
    const auto read = [&](std::string_view text) {
      if (!is_strict) return gsm8k::last_number(text);
      return gsm8k::after_hashes(text, is_verl ? gsm8k::Which::kLast : gsm8k::Which::kFirst);
    };
    if (is_verl) return read(gsm8k::last_300(sample.text));
    if (sample.prompt.empty()) return read(sample.text);
    return read(std::string(sample.prompt) + std::string(sample.text));
  }

  static qed::Score exact(const qed::Sample& sample, std::string_view gold) {
    if (sample.finish != qed::Finish::kStop) return score(0, false, false, "no end token");
    const auto expected = gsm8k::only_number(gold);
    if (!expected) throw qed::Error("the item's gold answer is no number");
    const auto part = gsm8k::answer_part(sample.text);
    const auto number = part ? gsm8k::only_number(*part) : std::nullopt;
    if (!number) return score(0, false, false, "no clear number for an answer");
    const bool is_right = *number == *expected;
    return score(is_right ? 1 : 0.1, is_right, true);
  }

  static qed::Score score(double reward, bool is_right, bool is_answer, std::string note = {}) {
    qed::Score out{.reward = reward, .note = std::move(note)};
    if (out.note.empty()) out.note = is_right ? "right" : is_answer ? "wrong" : "no answer found";
    out.verdict = is_right ? qed::Verdict::kRight : qed::Verdict::kWrong;
    out.terms[0] = is_right ? 1 : 0;
    out.terms[1] = is_answer ? 1 : 0;
    return out;
  }

  // The data's solutions are annotated for a calculator: 16-3=<<16-3=13>>13.
  static std::string without_annotations(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const auto open = text.find("<<"), close = text.find(">>", std::min(open, text.size()));
      out += text.substr(0, close == text.npos ? text.npos : open);
      text = close == text.npos ? std::string_view() : text.substr(close + 2);
    }
    return out;
  }

  std::string data_, eval_data_, bad_rows_ = "error";
  std::string template_ = "verl", reward_ = "exact";
  double score_ = 1, format_score_ = 0;
  qed::Rows train_, test_;
};

}  // namespace

QED_PLUGIN("dev.qed.gsm8k", "Apache-2.0", qed::Task<Gsm8k>);
