// Countdown: an equation over given numbers that equals a target. See README.md.

#include "data.h"
#include "generator.h"
#include "prompts.h"
#include "rules.h"
#include "solver.h"

#include "qed/task.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace countdown;

template <std::size_t N>
std::vector<std::string_view> all(const std::string_view (&names)[N]) {
  return {names, names + N};
}

class Countdown {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.countdown",
      .name = "countdown",
      .version = "1.0.0",
      .summary = "an equation over given numbers that equals a target",
  };
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"correct", "format", "numbers"};

  void options(qed::Options& o) {
    o("template", template_, {.choices = all(kTemplates), .help = "whose prompt"});
    o("reward", reward_, {.choices = all(kRules), .help = "whose rule"});
    o("score", scores_.right, {.help = "reward of a right equation"});
    o("format_score", scores_.format, {.help = "reward of a wrong one between the right tags"});
    o("data", files_.data, {.help = "file or key of puzzles; empty: they are generated"});
    o("eval_data", files_.eval_data, {.help = "puzzles of the test split; empty: part of `data`"});
    o("split", files_.split,
      {.choices = {"hash", "tinyzero"},
       .help = "of `data`: by key, or its first 327680 rows and the next 1024"});
    o("bad_rows", files_.bad_rows, {.choices = {"error", "skip"}, .help = "what a bad row does"});
    o("hold_out", files_.hold_out, {.help = "file of puzzles that are not trained on"});
    o("max_rows", files_.max_rows, {.min = 0, .help = "of each file; 0: all"});
    o("kind", kind_,
      {.choices = {"unchecked", "solvable", "plus_minus"},
       .help = "of generated puzzles; plus_minus also selects the rows of `data`"});
    o("difficulty", difficulty_,
      {.choices = {"any", "easy", "hard"},
       .help = "of generated puzzles; easy: + and - are enough"});
    o("min_numbers", shape_.min_numbers, {.min = 2, .max = 8, .help = "in a puzzle"});
    o("max_numbers", max_numbers_, {.min = 2, .max = 8, .help = "in a puzzle"});
    o("weights", weights_, {.help = "of each count from min_numbers on, as 0.1, 0.4; empty: even"});
    o("min_number", shape_.min_number, {.min = 0, .max = 1e6, .help = "smallest number"});
    o("max_number", shape_.max_number, {.min = 1, .max = 1e6, .help = "largest number"});
    o("min_target", shape_.min_target, {.min = 0, .max = 1e9, .help = "smallest target"});
    o("max_target", shape_.max_target, {.min = 1, .max = 1e9, .help = "largest target"});
    o("below_target", shape_.below_target, {.help = "all numbers are below the target"});
    o("search", search_,
      {.min = 0, .max = 1, .help = "part of the demonstrations that try in vain first"});
  }

  void open(const qed::Host& host) {
    resolve();
    files_.plus_minus = shape_.kind == Kind::kPlusMinus;
    data_.open(host, files_);
    if (!data_.has_rows()) load("train", 0);  // a shape without puzzles is an error now
  }

  std::uint64_t count(std::string_view split) const {
    if (split != "train" && split != "test") {
      throw qed::Error("there is no split `" + std::string(split) + "`", QED_INVALID);
    }
    return data_.has_rows() ? data_.count(split) : qed::kGenerative;
  }

  qed::Item load(std::string_view split, std::uint64_t index) const {
    if (count(split) != qed::kGenerative) return data_.load(split, index);
    const bool is_test = split == "test";
    qed::Rng rng(qed::KeyHash().add("countdown").add(split).add(index).value());
    for (int attempt = 0; attempt < kMaxDraws; ++attempt) {
      const Plain puzzle = draw(shape_, rng);
      std::string key = key_of(puzzle);
      if (is_test_key(key) != is_test || (!is_test && data_.is_held_out(key))) continue;
      return {std::move(key), write(puzzle)};
    }
    throw qed::Error("split `" + std::string(split) +
                     "` has no puzzle: widen the ranges of numbers and targets");
  }

  qed::Prompt render(const qed::ItemView& item) const {
    qed::Prompt out = prompt(template_, wording(item.blob));
    out.keep_special = sees_special_tokens(rule_);
    return out;
  }

  qed::Score verify(const qed::Sample& sample) const {
    const Mark m = mark(rule_, scores_, sample, has_header_);
    qed::Score out{.reward = m.reward, .note = std::string(m.note)};
    const bool is_right = rule_ == Rule::kMiniR1Format ? m.format : m.correct;
    out.verdict = is_right ? qed::Verdict::kRight : qed::Verdict::kWrong;
    out.terms = {m.correct ? 1.0f : 0.0f, m.format ? 1.0f : 0.0f, m.numbers ? 1.0f : 0.0f};
    return out;
  }

  std::string demonstrate(const qed::ItemView& item, std::string_view style, qed::Rng& rng) const {
    if (!style.empty() && style != "direct" && style != "search") {
      throw qed::Error("there is no style `" + std::string(style) + "`", QED_INVALID);
    }
    const Plain puzzle = parse_plain(item.blob);
    const bool searches = style == "search" || (style.empty() && rng.real() < search_);
    const auto solution = shape_.kind == Kind::kPlusMinus
                              ? solve_plus_minus(puzzle.nums, puzzle.target)
                              : solve(puzzle.nums, puzzle.target, rng);
    if (!solution) throw qed::Error("the puzzle has no solution, or none was found");
    std::string out;
    const std::string target = std::to_string(puzzle.target);
    const bool is_chinese = template_ == "chinese";
    for (std::int64_t tries = searches ? rng.integer(1, kMaxTries) : 0; tries > 0; --tries) {
      const Attempt failed = attempt(puzzle.nums, rng);
      if (failed.value == target) continue;
      out += failed.steps + (is_chinese ? "，不是 " : ", not ") + target + "\n";
    }
    out += solution->steps;
    if (searches) out += is_chinese ? "，正确" : ", right";
    return out + "</think>\n<answer>" + solution->equation + "</answer>";
  }

 private:
  static constexpr int kMaxDraws = 100'000;
  static constexpr std::int64_t kMaxTries = 4;

  // The options as values; throws for what contradicts itself.
  void resolve() {
    rule_ = rule_of(reward_);
    has_header_ = has_header(template_);
    shape_.kind = kind_ == "unchecked"  ? Kind::kUnchecked
                  : kind_ == "solvable" ? Kind::kSolvable
                                        : Kind::kPlusMinus;
    shape_.difficulty = difficulty_ == "any"    ? Difficulty::kAny
                        : difficulty_ == "easy" ? Difficulty::kEasy
                                                : Difficulty::kHard;
    const auto ordered = [](const char* name, std::int64_t low, std::int64_t high) {
      if (low <= high) return;
      throw qed::Error("`min_" + std::string(name) + "` is larger than `max_" + name + "`",
                       QED_INVALID);
    };
    ordered("numbers", shape_.min_numbers, max_numbers_);
    ordered("number", shape_.min_number, shape_.max_number);
    ordered("target", shape_.min_target, shape_.max_target);
    if (shape_.kind == Kind::kPlusMinus && shape_.difficulty == Difficulty::kHard) {
      throw qed::Error("kind `plus_minus` has no difficulty `hard`: + and - are always enough",
                       QED_INVALID);
    }
    if (files_.data.empty() && !files_.eval_data.empty()) {
      throw qed::Error("`eval_data` needs `data`", QED_INVALID);
    }
    shape_.weights = parse_weights(static_cast<std::size_t>(max_numbers_ - shape_.min_numbers + 1));
  }

  std::vector<double> parse_weights(std::size_t n) const {
    if (weights_.empty()) return std::vector<double>(n, 1.0);
    std::vector<double> out;
    double sum = 0;
    for (const char* p = weights_.c_str(); *p != '\0';) {
      while (*p == ' ' || *p == ',') ++p;
      if (*p == '\0') break;
      double v = 0;
      const auto [end, ec] = std::from_chars(p, weights_.c_str() + weights_.size(), v);
      if (ec != std::errc() || !(v >= 0) || v > 1e9) {
        throw qed::Error("`weights` has `" + std::string(p) + "`, which is no weight", QED_INVALID);
      }
      p = end;
      out.push_back(v);
      sum += v;
    }
    if (out.size() != n || sum == 0) {
      throw qed::Error("`weights` needs " + std::to_string(n) +
                           " numbers, one for each count of numbers, not all 0",
                       QED_INVALID);
    }
    return out;
  }

  std::string template_ = "base", reward_ = "strict", kind_ = "solvable", difficulty_ = "any";
  std::string weights_;
  std::int64_t max_numbers_ = 4;
  double search_ = 0.5;
  Scores scores_;
  Shape shape_;
  DataOptions files_;
  Data data_;

  Rule rule_ = Rule::kStrict;
  bool has_header_ = true;
};

}  // namespace

QED_PLUGIN("dev.qed.countdown", "Apache-2.0", qed::Task<Countdown>);
