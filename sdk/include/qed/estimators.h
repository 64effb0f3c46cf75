#pragma once

// Building blocks of advantage estimators: group statistics, whitening, returns. All of them leave
// out sequences with valid == 0, work in double, and carry through tokens that the environment
// wrote (mask == 0): inserting such tokens changes nothing.

#include "qed/algorithm.h"

#include <cmath>
#include <vector>

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

// Rewards of the valid sequences of one group.
inline Statistics reward_statistics(const Batch& batch, std::size_t begin, std::size_t end) {
  return statistics(
      begin, end, [&](std::size_t b) { return batch.reward[b]; },
      [&](std::size_t b) { return batch.valid[b] != 0; });
}

// Gives every token that the model wrote in sequence b the same advantage.
inline void broadcast(const Batch& batch, std::size_t b, double advantage, std::span<float> adv) {
  for (auto t = batch.offset[b]; t < batch.offset[b + 1]; ++t) {
    if (batch.mask[t] != 0) adv[t] = static_cast<float>(advantage);
  }
}

// The tokens that count: written by the model, in a valid sequence. [T]
inline std::vector<bool> trained_tokens(const Batch& batch) {
  std::vector<bool> out(batch.num_tokens());
  for (std::size_t b = 0; b < batch.num_seqs(); ++b) {
    for (auto t = batch.offset[b]; t < batch.offset[b + 1]; ++t) {
      out[t] = batch.valid[b] != 0 && batch.mask[t] != 0;
    }
  }
  return out;
}

// x := (x - mean) / sqrt(std^2 + eps) over all tokens that count; all equal gives exactly 0.
inline void whiten(const Batch& batch, std::span<float> x, double eps = 1e-8) {
  const auto use = trained_tokens(batch);
  const Statistics s = statistics(
      0, x.size(), [&](std::size_t t) { return x[t]; }, [&](std::size_t t) { return use[t]; });
  const double scale = 1 / std::sqrt(s.std * s.std + eps);
  for (std::size_t t = 0; t < x.size(); ++t) {
    x[t] = use[t] ? static_cast<float>((x[t] - s.mean) * scale) : 0.0f;
  }
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
