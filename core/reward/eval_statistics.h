#pragma once

// What the completions of an evaluation say: mean@k, pass@k, maj@k, with standard errors over
// items.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qed {

// One scored completion.
struct EvalVote {
  bool is_right;
  std::string answer;  // what it votes for, see answer_text; empty: it does not vote
};

struct EvalValue {
  std::string name;  // "mean@8"
  double mean, standard_error;
};

// The chance that one of j completions is right, of n of which c are: 1 - C(n - c, j) / C(n, j)
// (Chen et al. 2021, arXiv:2107.03374, eq. 1). 1 <= j <= n.
double pass_at(std::int64_t j, std::int64_t n, std::int64_t c);

// `items` hold the completions of each item that could be scored, at most k of them. The first
// value is mean@k, the share that is right. With k > 1 come pass@j for j = 2, 4, … up to k, and k:
// pass_at; an item with fewer than j completions does not count. Then maj@k: whether the answer
// that most completions give is right; of equally frequent ones, the share. A standard error is
// that of a mean over the items, sqrt(sum of squares about the mean) / n; NaN where no item counts.
std::vector<EvalValue> eval_statistics(std::span<const std::vector<EvalVote>> items,
                                       std::int64_t k);

// The answer that a completion gives, for votes: of what follows the last </think>, the text in the
// last <answer>…</answer>, else in the last \boxed{…}, else after the last ####, else the last line
// that is not blank; white space as one space, none at the ends.
std::string answer_text(std::string_view completion);

}  // namespace qed
