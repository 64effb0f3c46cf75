// Penalties for n-grams that come again.
//
//   repetition        over words: open-r1 and demystify-long-cot (same formula)
//   repetition_dense  over tokens, at the tokens that repeat: demystify-long-cot

#include "ngrams.h"

#include "qed/reward.h"

#include <unordered_set>
#include <vector>

namespace {

class Repetition {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.repetition",
      .name = "repetition",
      .version = "1.0.0",
      .summary = "(1 - different / all n-grams of words) times max_penalty (open-r1, demystify)",
  };

  void options(qed::Options& o) {
    o("ngram", ngram_, {.min = 1, .max = 10000, .unit = "words", .help = "n"});
    o("max_penalty", max_penalty_, {.max = 0, .help = "when all n-grams are the same"});
    o("only_wrong", only_wrong_, {.help = "right completions get 0"});
  }

  qed::Term score(const qed::Scored& s) const {
    if (only_wrong_ && s.verdict == qed::Verdict::kRight) return {.value = 0};
    return {.value = repeated_frac(s.sample.text, static_cast<std::size_t>(ngram_)) * max_penalty_};
  }

 private:
  std::int64_t ngram_ = 3;
  double max_penalty_ = -1;
  bool only_wrong_ = false;
};

class RepetitionDense {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.repetition_dense",
      .name = "repetition_dense",
      .version = "1.0.0",
      .summary = "a penalty at each token of an n-gram of tokens that came before (demystify)",
      .flags = QED_CONCURRENT | QED_DETERMINISTIC | QED_BATCH_INVARIANT | QED_TOKEN_REWARDS,
  };

  void options(qed::Options& o) {
    o("ngram", ngram_, {.min = 1, .max = 10000, .unit = "tokens", .help = "n"});
    o("penalty", penalty_, {.max = 0, .help = "of each token that repeats"});
    o("only_start", only_start_, {.help = "only the first n-gram of a repeated passage"});
  }

  // Per token; the value of the sequence is 0. A repeated n-gram starts a passage when it does not
  // touch the one before.
  qed::Term score(const qed::Scored& s) const {
    const auto n = static_cast<std::size_t>(ngram_);
    const std::vector<std::uint32_t> tokens(s.sample.tokens.begin(), s.sample.tokens.end());
    if (tokens.size() < n) return {};
    std::unordered_set<std::uint32_t> seen;
    std::size_t touched = 0;  // an n-gram at or before this token touches the last repeated one
    const auto ngrams = number_ngrams(tokens, n);
    for (std::size_t i = 0; i < ngrams.size(); ++i) {
      if (seen.insert(ngrams[i]).second) continue;
      if (!only_start_ || i > touched) {
        std::fill_n(s.token_rewards.begin() + i, n, static_cast<float>(penalty_));
      }
      touched = i + n;
    }
    return {};
  }

 private:
  std::int64_t ngram_ = 40;
  double penalty_ = -0.05;
  bool only_start_ = false;
};

}  // namespace

QED_PLUGIN("dev.qed.rewards.repetition", "Apache-2.0", qed::Reward<Repetition>,
           qed::Reward<RepetitionDense>);
