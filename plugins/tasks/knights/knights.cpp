// Knights and knaves: who always tells the truth, and who always lies? Puzzles as Logic-RL trains
// on, from a generator or from the published rows.

#include "qed/rows.h"
#include "qed/task.h"

#include "answer.h"
#include "item.h"
#include "prompts.h"

namespace {

using knights::Marks;

class Knights {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.knights",
      .name = "knights",
      .version = "1.0.0",
      .summary = "knights and knaves: who tells the truth, and who lies?",
  };
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"correct", "format", "answer"};

  void options(qed::Options& o) {
    o("people", settings_.people,
      {.min = 2, .max = knights::kMaxPeople, .help = "of a generated puzzle"});
    o("max_people", settings_.max_people,
      {.min = 0,
       .max = knights::kMaxPeople,
       .help = "puzzles of `people` to this many; 0: people"});
    o("width", settings_.width,
      {.min = 2, .max = 3, .help = "parts of a generated `and` or `or`, at most"});
    o("perturb", settings_.perturb,
      {.choices = {"none", "statement", "leaf", "random_pair", "flip_role", "uncommon_name",
                   "reorder_statement"},
       .help = "what is changed in each generated puzzle"});
    o("data", data_, {.help = "rows to train on, as published; empty: generate"});
    o("eval_data", eval_data_, {.help = "rows of the split `test`, where `data` is given"});
    o("bad_rows", bad_rows_, {.choices = {"error", "skip"}, .help = "what a bad row does"});
    o("template", template_,
      {.choices = {"base", "instruct", "chat", "mem_kk"}, .help = "whose prompt"});
    o("prefill", prefill_, {.help = "the prompt ends with <think>, as Logic-RL's do"});
    o("reward", reward_,
      {.choices = {"strict", "logic_rl", "eval_kk", "mem_kk"}, .help = "whose rule"});
    o("format_reward", format_reward_, {.help = "logic_rl: for the format; minus this without it"});
  }

  void check() const {
    const auto refuse = [](const std::string& why) { throw qed::Error(why, QED_INVALID); };
    if (settings_.max_people != 0 && settings_.max_people < settings_.people) {
      refuse("`max_people` is less than `people`");
    }
    if (data_.empty() && !eval_data_.empty()) refuse("`eval_data` is given without `data`");
    if (!data_.empty() && settings_.perturb != "none") {
      refuse("`perturb` changes generated puzzles, and `data` is given");
    }
    const bool has_tags = template_ != "mem_kk";
    if (has_tags == (reward_ == "mem_kk")) {
      refuse("the reward `" + reward_ + "` does not read what the template `" + template_ +
             "` asks for");
    }
    if (settings_.perturb == "random_pair" && (reward_ == "logic_rl" || reward_ == "eval_kk")) {
      refuse("the reward `" + reward_ + "` knows no other words than knight and knave");
    }
  }

  void open(const qed::Host& host) {
    for (const auto& [path, rows] : {std::pair(&data_, &train_), std::pair(&eval_data_, &test_)}) {
      if (!path->empty()) rows->open(host, *path, knights::from_row, bad_rows_ == "skip");
    }
  }

  std::uint64_t count(std::string_view split) const {
    check_split(split);
    return data_.empty() ? qed::kGenerative : rows(split).count();
  }

  qed::Item load(std::string_view split, std::uint64_t index) const {
    check_split(split);
    return data_.empty() ? knights::generate(settings_, split, index) : rows(split).item(index);
  }

  qed::Prompt render(const qed::ItemView& item) const {
    knights::Contents contents;
    read_contents(item.blob, contents);
    qed::Prompt out;
    if (template_ == "mem_kk") return {.text = knights::mem_kk_prompt(contents.quiz)};
    if (prefill_) out.prefill = "<think>";
    if (template_ == "chat") {
      out.messages = knights::chat_messages(contents.quiz);
    } else {
      out.text = template_ == "base" ? knights::base_prompt(contents.quiz)
                                     : knights::instruct_prompt(contents.quiz);
    }
    return out;
  }

  qed::Score verify(const qed::Sample& sample) const {
    knights::Gold gold;
    read_gold(sample.item.blob, gold);
    Marks marks = score(sample, gold);
    qed::Score out{.reward = marks.format + marks.answer, .note = std::move(marks.note)};
    out.verdict = marks.is_right ? qed::Verdict::kRight : qed::Verdict::kWrong;
    out.terms[0] = marks.is_right ? 1 : 0;
    out.terms[1] = static_cast<float>(marks.format);
    out.terms[2] = static_cast<float>(marks.answer);
    return out;
  }

  std::string demonstrate(const qed::ItemView& item, std::string_view style, qed::Rng&) const {
    if (!style.empty() && style != "search" && style != "direct") {
      throw qed::Error("there is no style `" + std::string(style) + "`", QED_INVALID);
    }
    knights::Contents contents;
    read_contents(item.blob, contents);
    const std::string thought = style == "direct" ? "" : reasoning_of(contents) + "\n";
    std::string solution;
    for (std::size_t i = 0; i < contents.people.size(); ++i) {
      (solution += i == 0 ? "" : "\n") += solution_line(i, contents.people[i]);
    }
    if (template_ == "mem_kk") return thought + "CONCLUSION:\n" + solution;
    return (prefill_ ? "" : "<think>") + thought + "</think>\n<answer>" + solution + "</answer>";
  }

 private:
  static void check_split(std::string_view split) {
    if (split == "train" || split == "test") return;
    throw qed::Error("there is no split `" + std::string(split) + "`", QED_INVALID);
  }
  const qed::Rows& rows(std::string_view split) const { return split == "test" ? test_ : train_; }

  Marks score(const qed::Sample& sample, knights::Gold& gold) const {
    const knights::Answer answer(sample);
    if (reward_ == "logic_rl") {
      if (!gold.text.empty()) read_solution_logic_rl(gold.text, gold.people);
      return logic_rl(answer.response_logic_rl(), gold.people, format_reward_);
    }
    if (!gold.text.empty() && !read_solution(gold.text, gold.people)) {
      throw qed::Error("`solution_text_format` is not lines such as `(1) Zoey is a knight`");
    }
    if (reward_ == "mem_kk") return mem_kk(sample.text, gold.people);
    if (reward_ == "eval_kk") return eval_kk(answer.text(), gold.people);
    if (sample.finish != qed::Finish::kStop) return {.note = "no end token"};
    return strict(answer.text(), gold.people);
  }

  static std::string reasoning_of(const knights::Contents& contents) {
    if (contents.statements.empty()) {
      throw qed::Error("this item has no `statements`, so there is no reasoning to show");
    }
    const knights::Puzzle puzzle = knights::parse(contents.statements);
    std::vector<std::string_view> names;
    for (const auto& person : contents.people) names.push_back(person.name);
    if (names.size() != puzzle.size) throw qed::Error("`roles` and `statements` differ in number");
    return reasoning(puzzle, names, contents.roles);
  }

  knights::Settings settings_;
  std::string data_, eval_data_, bad_rows_ = "error";
  std::string template_ = "base", reward_ = "strict";
  bool prefill_ = true;
  double format_reward_ = 1;
  qed::Rows train_, test_;
};

}  // namespace

QED_PLUGIN("dev.qed.knights", "Apache-2.0", qed::Task<Knights>);
