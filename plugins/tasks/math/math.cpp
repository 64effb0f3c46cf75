// Mathematics: problems with a gold answer from a data file, and a verifier that reads answers as
// mathematics.

#include "qed/host.h"
#include "qed/task.h"

#include "bands.h"
#include "item.h"
#include "lib/demystify.h"
#include "lib/verify.h"
#include "prompts.h"
#include "rewards.h"

#include <algorithm>
#include <charconv>

namespace {

// The rows of one split that are taken.
class Split {
 public:
  // Every row is read now where some of them may be left out.
  void open(const qed::Host& host, const std::string& path, const maths::Columns& columns,
            bool skips_bad) {
    file_ = host.data(path);
    is_indexed_ = skips_bad || columns.min_level > 0;
    if (!is_indexed_) return;
    const std::uint64_t n = file_.count();
    std::string first;
    for (std::uint64_t i = 0; i < n; ++i) {
      try {
        if (maths::from_row(file_.row(i), columns)) taken_.push_back(i);
      } catch (const qed::Error& e) {
        if (!skips_bad || e.code() != QED_DATA) throw at(i, e);
        if (first.empty()) first = at(i, e).what();
      }
    }
    if (taken_.size() == n) return;
    host.log(2, "left out " + std::to_string(n - taken_.size()) + " of the " + std::to_string(n) +
                    " rows of " + path + (first.empty() ? "" : "; the first bad one: " + first));
  }

  std::uint64_t count() const {
    if (!file_.is_open()) return 0;
    return is_indexed_ ? taken_.size() : file_.count();
  }

  qed::Item item(std::uint64_t index, const maths::Columns& columns) const {
    if (index >= count()) {
      throw qed::Error(
          "there is no row " + std::to_string(index) + " of " + std::to_string(count()),
          QED_INVALID);
    }
    const std::uint64_t row = is_indexed_ ? taken_[index] : index;
    try {
      return *maths::from_row(file_.row(row), columns);
    } catch (const qed::Error& e) {
      throw at(row, e);
    }
  }

 private:
  qed::Error at(std::uint64_t row, const qed::Error& e) const {
    return qed::Error(file_.place(row) + ": " + e.what(), e.code());
  }

  qed::DataFile file_;
  bool is_indexed_ = false;
  std::vector<std::uint64_t> taken_;
};

class Math {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.math",
      .name = "math",
      .version = "1.0.0",
      .summary = "mathematics: problems from a data file, answers compared as mathematics",
  };
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"correct", "answered", "formed", "wrong"};

  void options(qed::Options& o) {
    o("data", data_,
      {.help = "rows to train on: a file or a key; \"\": none, for `qed verify`",
       .required = true});
    o("eval_data", eval_data_, {.help = "rows of the split `test`"});
    o("bad_rows", bad_rows_, {.choices = {"error", "skip"}, .help = "what a bad row does"});
    o("question", columns_.question, {.help = "column; \"\": problem, question, input or prompt"});
    o("gold", columns_.gold,
      {.help = "column; \"\": answer, final_answer, gt_answer, target or solution"});
    o("levels", levels_,
      {.help = "such as \"3-5\": only rows of `data` whose `level` is one of them"});
    o("template", template_,
      {.choices = {"boxed", "simplerl_v0", "simplerl_v1", "abel", "open_r1_first", "open_r1",
                   "r1_zero", "deepscaler", "logic_rl", "unsloth", "none"},
       .help = "whose prompt"});
    o("reward", reward_,
      {.choices = {"plain", "simplerl_v0", "simplerl_v1", "simplerl_v1_independent",
                   "simplerl_v1_first", "open_r1", "deepscaler", "r1_zero", "r1_zero_boxed",
                   "demystify", "unsloth"},
       .help = "whose rule for what is paid"});
    o("fast", fast_, {.help = "r1_zero: without the slow grader, Math-Verify"});
    o("verifier", verifier_,
      {.choices = {"reward", "strict", "math_verify", "qwen", "hendrycks", "prm800k", "deepscaler",
                   "dapo", "simplerl_v0", "simplerl_v1", "open_r1"},
       .help = "whose rule for equal answers; reward: that of `reward`, for plain strict"});
    o("answer", answer_,
      {.choices = {"verifier", "boxed", "tag", "line", "brackets", "ladder", "whole"},
       .help = "plain: where the answer stands; verifier: as its rule says"});
    o("percent", percent_,
      {.choices = {"verifier", "fraction", "dropped", "either"}, .help = "10% is 0.1, or 10"});
    o("tolerance", tolerance_,
      {.choices = {"verifier", "none", "rounded", "places", "relative"},
       .help = "when a decimal equals a value"});
    o("right", right_, {.help = "plain: reward of a right answer"});
    o("wrong", wrong_, {.help = "plain: reward of a wrong answer"});
    o("missing", missing_, {.help = "plain: reward without an answer"});
  }

  void check() {
    scheme_ = maths::scheme(reward_);
    if (reward_ == "plain") {
      scheme_.right = scheme_.bare_right = right_;
      scheme_.wrong = wrong_;
      scheme_.bare_wrong = missing_;
    } else if (right_ != 1 || wrong_ != 0 || missing_ != 0 || answer_ != "verifier") {
      throw qed::Error("`right`, `wrong`, `missing` and `answer` are for reward = \"plain\"; `" +
                           reward_ + "` has its own",
                       QED_INVALID);
    }
    if (scheme_.verifiers.front().empty() && verifier_ != "reward") {
      throw qed::Error(
          "reward = \"" + reward_ + "\" is a verifier of its own; leave `verifier` out",
          QED_INVALID);
    }
    if (verifier_ != "reward") scheme_.verifiers = {verifier_};
    for (const std::string_view name : scheme_.verifiers) {
      const bool is_slow = name == "math_verify" && verifier_ == "reward";
      if (!name.empty() && !(fast_ && is_slow)) policies_.push_back(policy(name));
    }
    if (!levels_.empty()) read_levels();
  }

  void open(const qed::Host& host) {
    const bool skips_bad = bad_rows_ == "skip";
    if (!data_.empty()) train_.open(host, data_, columns_, skips_bad);
    test_columns_ = columns_;
    test_columns_.min_level = 0;
    if (!eval_data_.empty()) test_.open(host, eval_data_, test_columns_, skips_bad);
  }

  std::uint64_t count(std::string_view split) const { return rows(split).count(); }
  qed::Item load(std::string_view split, std::uint64_t i) const {
    return rows(split).item(i, split == "test" ? test_columns_ : columns_);
  }

  qed::Prompt render(const qed::ItemView& item) const {
    const std::string question = maths::read_item(item.blob).question;
    if (question.empty()) {
      throw qed::Error("this is no item of the task: `question` is missing");
    }
    return maths::prompt(template_, question);
  }

  qed::Score verify(const qed::Sample& sample) const {
    const maths::Contents item = maths::read_item(sample.item.blob);
    const std::vector<std::string_view> golds(item.gold.begin(), item.gold.end());
    const maths::Reading part = maths::read_part(scheme_.part, sample);
    if (scheme_.part == maths::Part::kUnsloth) return bands(golds.front(), part.text);
    math::Verdict v;
    if (policies_.empty()) {  // demystify's places and texts
      const bool is_right = std::ranges::any_of(
          golds, [&](std::string_view gold) { return math::demystify_right(gold, part.text); });
      v.equality = is_right ? math::Equality::kEqual : math::Equality::kDifferent;
      v.reason = is_right ? math::Reason::kSame : math::Reason::kDifferent;
      return score(v, sample, true);
    }
    for (math::Policy policy : policies_) {
      if (part.is_answer) policy.place = math::Place::kWhole, policy.skips_thinking = false;
      v = math::verify(golds, part.is_there ? part.text : std::string_view(), policy);
      if (v.equality == math::Equality::kEqual) break;
    }
    if (v.reason == math::Reason::kUnreadGold) {
      throw qed::Error("the gold answer `" + item.gold[v.gold].substr(0, 60) +
                       "` cannot be compared: it is no expression");
    }
    return score(v, sample, part.is_answer);
  }

 private:
  const Split& rows(std::string_view split) const {
    if (split == "train") return train_;
    if (split == "test") return test_;
    throw qed::Error("there is no split `" + std::string(split) + "`", QED_INVALID);
  }

  math::Policy policy(std::string_view name) const {
    math::Policy out = *math::preset(name);
    static constexpr std::pair<std::string_view, math::Place> kPlaces[] = {
        {"boxed", math::Place::kBoxed},   {"tag", math::Place::kTag},
        {"line", math::Place::kAnswer},   {"brackets", math::Place::kBrackets},
        {"ladder", math::Place::kLadder}, {"whole", math::Place::kWhole}};
    for (const auto& [word, place] : kPlaces) {
      if (answer_ == word) out.place = place;
    }
    if (percent_ == "fraction") out.percent = math::Percent::kFraction;
    if (percent_ == "dropped") out.percent = math::Percent::kDropped;
    if (percent_ == "either") out.percent = math::Percent::kEither;
    if (tolerance_ == "none") out.tolerance = math::Tolerance::kNone;
    if (tolerance_ == "rounded") out.tolerance = math::Tolerance::kRounded;
    if (tolerance_ == "places") out.tolerance = math::Tolerance::kPlaces;
    if (tolerance_ == "relative") out.tolerance = math::Tolerance::kRelative;
    return out;
  }

  static qed::Score bands(std::string_view gold, std::string_view completion) {
    const maths::Bands b = maths::unsloth_bands(gold, completion);
    qed::Score out{.reward = b.reward};
    out.verdict = b.is_right ? qed::Verdict::kRight : qed::Verdict::kWrong;
    const float formed = b.has_solution ? 1 : 0;
    out.terms = {b.is_right ? 1.0F : 0.0F, formed, formed, b.is_right ? 0.0F : formed};
    out.note = b.is_right ? "right" : b.has_solution ? "wrong" : "no solution in the format";
    return out;
  }

  qed::Score score(const math::Verdict& v, const qed::Sample& sample, bool is_part) const {
    const bool is_right = v.equality == math::Equality::kEqual;
    const bool is_answer = v.reason != math::Reason::kNoAnswer;
    const bool is_formed = scheme_.form == maths::Form::kAnswer
                               ? is_answer
                               : maths::has_form(scheme_.form, sample.text);
    qed::Score out{.reward = is_right ? (is_formed ? scheme_.right : scheme_.bare_right)
                                      : (is_formed ? scheme_.wrong : scheme_.bare_wrong)};
    out.verdict = is_right ? qed::Verdict::kRight : qed::Verdict::kWrong;
    out.terms = {is_right ? 1.0F : 0.0F, is_answer ? 1.0F : 0.0F, is_formed ? 1.0F : 0.0F,
                 is_formed && !is_right ? 1.0F : 0.0F};
    out.note = std::string(math::text_of(v.reason));
    if (is_part && !v.answer.empty()) {
      out.note += ": `" + v.answer.substr(0, 60) + "`";
    } else if (!is_part && is_answer) {
      out.note += ": bytes " + std::to_string(v.begin) + " to " + std::to_string(v.end);
    }
    if (scheme_.needs_end && sample.finish == qed::Finish::kLength) {
      out.reward = 0;
      out.note += "; no end token";
    }
    return out;
  }

  // "3" or "3-5".
  void read_levels() {
    const auto dash = levels_.find('-');
    const std::string low = levels_.substr(0, dash);
    const std::string high = dash == std::string::npos ? low : levels_.substr(dash + 1);
    const auto number = [&](const std::string& text, int& out) {
      const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
      return ec == std::errc() && end == text.data() + text.size() && out > 0;
    };
    if (!number(low, columns_.min_level) || !number(high, columns_.max_level) ||
        columns_.min_level > columns_.max_level) {
      throw qed::Error("`levels` is \"" + levels_ + "\"; write one level, \"5\", or two, \"3-5\"",
                       QED_INVALID);
    }
  }

  std::string data_, eval_data_, bad_rows_ = "error", levels_;
  std::string template_ = "boxed", reward_ = "plain", verifier_ = "reward", answer_ = "verifier";
  std::string percent_ = "verifier", tolerance_ = "verifier";
  bool fast_ = true;
  double right_ = 1, wrong_ = 0, missing_ = 0;
  maths::Columns columns_, test_columns_;
  maths::Scheme scheme_;
  std::vector<math::Policy> policies_;
  Split train_, test_;
};

}  // namespace

QED_PLUGIN("dev.qed.math", "Apache-2.0", qed::Task<Math>);
