// Rewards that depend on how long a completion is. Right and wrong are the task's verdict.
//
//   length         Kimi k1.5 as in open-r1: shorter than the group's others is better
//   cosine         a cosine over the length, with ends of its own for right and wrong: open-r1 (in
//                  characters), demystify-long-cot (in tokens)
//   length_scaled  demystify-long-cot: a linear risk in the length
//   classic        demystify-long-cot: right, wrong, too long
//   soft_overlong  DAPO (Yu et al. 2025, eq. 13) as in open-r1: a ramp before the budget's end

#include "plugins/rewards/repetition/ngrams.h"

#include "qed/reward.h"
#include "qed/unicode.h"

#include <cmath>
#include <numbers>

namespace {

// demystify-long-cot calls a completion too long when fewer than 16 tokens are left.
constexpr std::int64_t kSlack = 16;

bool is_right(const qed::Scored& s) { return s.verdict == qed::Verdict::kRight; }

std::int64_t num_tokens(const qed::Scored& s) {
  return static_cast<std::int64_t>(s.sample.tokens.size());
}

double num_characters(const qed::Scored& s) {
  return static_cast<double>(qed::length(s.sample.text));
}

// The option, or where it is 0 the budget that the completion had.
std::int64_t budget(std::int64_t option, const qed::Scored& s) {
  const std::int64_t tokens =
      option > 0 ? option : static_cast<std::int64_t>(s.sample.max_new_tokens);
  if (tokens <= 0) throw qed::Error("`max_len` is 0 and the completion's budget is not known");
  return tokens;
}

class Length {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.length",
      .name = "length",
      .version = "1.0.0",
      .summary = "shorter right completions of a group get more (Kimi k1.5, open-r1)",
      .flags = QED_CONCURRENT | QED_DETERMINISTIC,
  };

  // lambda = 0.5 - (len - min) / (max - min) over the group; right: lambda, wrong: min(0, lambda).
  // A completion without verdict counts as right, as in open-r1.
  void score(std::span<const qed::Scored> in, std::span<qed::Term> out) const {
    for (std::size_t begin = 0, end = 0; begin < in.size(); begin = end) {
      while (end < in.size() && in[end].sample.group == in[begin].sample.group) ++end;
      score_group(in.subspan(begin, end - begin), out.subspan(begin, end - begin));
    }
  }

 private:
  static void score_group(std::span<const qed::Scored> in, std::span<qed::Term> out) {
    double low = INFINITY, high = 0;
    for (const auto& s : in) {
      low = std::min(low, num_characters(s)), high = std::max(high, num_characters(s));
    }
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (low == high) continue;  // nothing to compare: 0
      const double lambda = 0.5 - (num_characters(in[i]) - low) / (high - low);
      const bool is_wrong = in[i].verdict == qed::Verdict::kWrong;
      out[i].value = is_wrong ? std::min(0.0, lambda) : lambda;
    }
  }
};

class Cosine {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.cosine",
      .name = "cosine",
      .version = "1.0.0",
      .summary = "a cosine over the length, apart for right and wrong (open-r1, demystify)",
  };

  void options(qed::Options& o) {
    o("unit", unit_, {.choices = {"characters", "tokens"}, .help = "what is counted"});
    o("max_len", max_len_, {.min = 0, .help = "length where the cosine ends; 0: the budget"});
    o("max_right", max_right_, {.help = "right, length 0"});
    o("min_right", min_right_, {.help = "right, length max_len"});
    o("min_wrong", min_wrong_, {.help = "wrong, length 0"});
    o("max_wrong", max_wrong_, {.help = "wrong, length max_len"});
    o("exceed", exceed_, {.help = "with `punish_exceed`: when fewer than 16 tokens are left"});
    o("punish_exceed", punish_exceed_, {.help = "completions near max_len get `exceed`"});
    o("repetition", repetition_,
      {.max = 0, .help = "wrong completions: added, times the share of repeated n-grams of words"});
    o("ngram", ngram_, {.min = 1, .max = 10000, .unit = "words", .help = "n, for `repetition`"});
  }

  void check() const {
    if (unit_ == "characters" && (max_len_ == 0 || punish_exceed_)) {
      throw qed::Error("`max_len = 0` and `punish_exceed` need unit = \"tokens\"", QED_INVALID);
    }
  }

  // Not clamped beyond max_len, as in open-r1. A completion without verdict gets 1.
  qed::Term score(const qed::Scored& s) const {
    const double max_len = static_cast<double>(unit_ == "tokens" ? budget(max_len_, s) : max_len_);
    const double n = unit_ == "tokens" ? static_cast<double>(num_tokens(s)) : num_characters(s);
    if (punish_exceed_ && n + kSlack >= max_len) return {.value = exceed_};
    if (unit_ == "characters" && s.verdict == qed::Verdict::kNone) return {.value = 1};
    const double begin = is_right(s) ? max_right_ : min_wrong_;
    const double end = is_right(s) ? min_right_ : max_wrong_;
    const double wave = std::cos(std::numbers::pi * n / max_len);
    double value = end + 0.5 * (begin - end) * (1 + wave);
    if (repetition_ != 0 && !is_right(s)) {
      value += repeated_frac(s.sample.text, static_cast<std::size_t>(ngram_)) * repetition_;
    }
    return {.value = value};
  }

 private:
  std::string unit_ = "characters";
  std::int64_t max_len_ = 1000;
  double max_right_ = 1, min_right_ = 0.5, min_wrong_ = 0, max_wrong_ = -0.5, exceed_ = 0;
  double repetition_ = 0;
  std::int64_t ngram_ = 3;
  bool punish_exceed_ = false;
};

class LengthScaled {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.length_scaled",
      .name = "length_scaled",
      .version = "1.0.0",
      .summary = "a linear risk in the number of tokens (demystify-long-cot)",
  };

  void options(qed::Options& o) {
    o("max_len", max_len_, {.min = 0, .unit = "tokens", .help = "0: the completion's budget"});
    o("risk", risk_,
      {.min = 0, .max = 1, .help = "k in (k + (1 - k) c) (1 - c), c = length / max"});
    o("exceed", exceed_, {.help = "with `punish_exceed`: when fewer than 16 tokens are left"});
    o("punish_exceed", punish_exceed_, {.help = "completions near max_len get `exceed`"});
  }

  qed::Term score(const qed::Scored& s) const {
    const auto max_len = static_cast<double>(budget(max_len_, s));
    const auto n = static_cast<double>(num_tokens(s));
    if (punish_exceed_ && n + kSlack >= max_len) return {.value = exceed_};
    const double c = n / max_len;
    return {.value = is_right(s) ? (risk_ + (1 - risk_) * c) * (1 - c) : -1 + c};
  }

 private:
  std::int64_t max_len_ = 0;
  double risk_ = 0.5, exceed_ = 0;
  bool punish_exceed_ = false;
};

class Classic {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.classic",
      .name = "classic",
      .version = "1.0.0",
      .summary = "one value each for right, wrong and too long (demystify-long-cot)",
  };

  void options(qed::Options& o) {
    o("right", right_, {.help = "the task calls it right"});
    o("wrong", wrong_, {.help = "all others"});
    o("max_len", max_len_, {.min = 0, .unit = "tokens", .help = "0: the completion's budget"});
    o("exceed", exceed_, {.help = "with `punish_exceed`: when fewer than 16 tokens are left"});
    o("punish_exceed", punish_exceed_, {.help = "completions near max_len get `exceed`"});
  }

  qed::Term score(const qed::Scored& s) const {
    if (punish_exceed_ && num_tokens(s) + kSlack >= budget(max_len_, s)) return {.value = exceed_};
    return {.value = is_right(s) ? right_ : wrong_};
  }

 private:
  double right_ = 1, wrong_ = 0, exceed_ = 0;
  std::int64_t max_len_ = 0;
  bool punish_exceed_ = false;
};

class SoftOverlong {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.soft_overlong",
      .name = "soft_overlong",
      .version = "1.0.0",
      .summary = "falls from 0 to -1 over the last `cache` tokens of the budget (DAPO)",
  };

  void options(qed::Options& o) {
    o("max_len", max_len_, {.min = 0, .unit = "tokens", .help = "0: the completion's budget"});
    o("cache", cache_, {.min = 1, .unit = "tokens", .help = "length of the ramp"});
  }

  qed::Term score(const qed::Scored& s) const {
    const std::int64_t n = num_tokens(s), max_len = budget(max_len_, s);
    if (n <= max_len - cache_) return {.value = 0};
    if (n > max_len) return {.value = -1};
    return {.value = static_cast<double>(max_len - cache_ - n) / static_cast<double>(cache_)};
  }

 private:
  std::int64_t max_len_ = 0, cache_ = 4096;
};

}  // namespace

QED_PLUGIN("dev.qed.rewards.length", "Apache-2.0", qed::Reward<Length>, qed::Reward<Cosine>,
           qed::Reward<LengthScaled>, qed::Reward<Classic>, qed::Reward<SoftOverlong>);
