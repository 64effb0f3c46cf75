#pragma once

// Building blocks of outcome estimators: scores of completions and statistics of their groups. All
// of them leave out sequences with valid == 0 and work in double.

#include "qed/algorithm.h"

#include <cmath>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

struct Statistics {
  std::size_t n = 0;
  double mean = 0;
  double std = 0;  // unbiased (n-1); exactly 0 when all values are equal, and for n < 2
};

// Of the values that `at(i)` gives for the i in [begin, end) with `use(i)`.
template <class At, class Use>
Statistics statistics(std::size_t begin, std::size_t end, At&& at, Use&& use) {
  Statistics s;
  double sum = 0, low = INFINITY, high = -INFINITY;
  for (std::size_t i = begin; i < end; ++i) {
    if (!use(i)) continue;
    const double x = at(i);
    sum += x, low = std::min(low, x), high = std::max(high, x), ++s.n;
  }
  if (s.n == 0) return s;
  s.mean = low == high ? low : sum / static_cast<double>(s.n);
  double squares = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (use(i)) squares += (at(i) - s.mean) * (at(i) - s.mean);
  }
  if (s.n > 1) s.std = std::sqrt(squares / static_cast<double>(s.n - 1));
  return s;
}

// Calls f(begin, end) for every group: sequences begin .. end-1 share a prompt.
template <class F>
void for_each_group(const Batch& batch, F&& f) {
  for (std::size_t begin = 0, end = 0; begin < batch.num_seqs(); begin = end) {
    while (end < batch.num_seqs() && batch.group[end] == batch.group[begin]) ++end;
    f(begin, end);
  }
}

// The outcome of sequence b: its reward and the sum of its rewards per token, as veRL scores a
// response. Throws Error when it is not finite.
inline double score(const Batch& batch, std::size_t b) {
  double sum = batch.reward[b];
  for (const qed_stream* stream : batch.streams) {
    for (auto t = batch.offset[b]; t < batch.offset[b + 1]; ++t) {
      if (batch.mask[t] != 0) sum += stream->reward.p[t];
    }
  }
  if (!std::isfinite(sum)) {
    throw Error("the reward of completion " + std::to_string(b) + " is " + std::to_string(sum));
  }
  return sum;
}

// Scores of the valid ones among the sequences begin .. end-1: of a group, or of a whole batch.
inline Statistics reward_statistics(const Batch& batch, std::size_t begin, std::size_t end) {
  return statistics(
      begin, end, [&](std::size_t b) { return score(batch, b); },
      [&](std::size_t b) { return batch.valid[b] != 0; });
}

// n / (n - 1), by which R - mean becomes R - mean of the others (Kool et al. 2019, "Buy 4 REINFORCE
// samples, get a baseline for free!"); 0 for fewer than two.
inline double leave_one_out(const Statistics& group) {
  const auto n = static_cast<double>(group.n);
  return group.n < 2 ? 0 : n / (n - 1);
}

// Number of tokens that the model wrote in sequence b.
inline std::size_t num_written(const Batch& batch, std::size_t b) {
  std::size_t n = 0;
  for (auto t = batch.offset[b]; t < batch.offset[b + 1]; ++t) n += batch.mask[t] != 0 ? 1 : 0;
  return n;
}

// Gives every token that the model wrote in sequence b the same advantage.
inline void broadcast(const Batch& batch, std::size_t b, double advantage, std::span<float> adv) {
  for (auto t = batch.offset[b]; t < batch.offset[b + 1]; ++t) {
    if (batch.mask[t] != 0) adv[t] = static_cast<float>(advantage);
  }
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
