#pragma once

// Bodies of log-probs and their gradient: a block per row of logits. The statistics of a softmax
// are gathered in one pass over memory: by thread, then by tree.

#include "core/cuda/kernels/body.h"
#include "core/cuda/logp_args.h"

#include <cmath>

namespace qed::cuda {

// Of some scaled logits z: the largest, and the sums of exp(z - max) and exp(z - max) (z - max).
struct SoftmaxSums {
  float max, sum, weighted;

  QED_DEVICE float mean() const { return weighted / sum; }  // of z - max
  QED_DEVICE float entropy() const { return std::log(sum) - mean(); }
};

// The same sums, with a larger number in place of max.
QED_DEVICE inline SoftmaxSums lowered(const SoftmaxSums& s, float max) {
  if (s.sum == 0) return {max, 0, 0};  // of no logits: max may be -infinity
  const float shift = s.max - max, scale = std::exp(shift);
  return {max, s.sum * scale, (s.weighted + s.sum * shift) * scale};
}

QED_DEVICE inline SoftmaxSums joined(const SoftmaxSums& a, const SoftmaxSums& b) {
  const float max = a.max > b.max ? a.max : b.max;
  const SoftmaxSums x = lowered(a, max), y = lowered(b, max);
  return {max, x.sum + y.sum, x.weighted + y.weighted};
}

// What a thread gathers of the logits logit(0) .. logit(n - 1); some at a time, so that their reads
// do not wait for each other.
template <class Logit>
QED_DEVICE SoftmaxSums sums_of_thread(int thread, std::int64_t n, const Logit& logit) {
  constexpr int kBatch = 8;
  SoftmaxSums all{-INFINITY, 0, 0};
  for (std::int64_t first = thread; first < n; first += kBatch * kThreads) {
    float z[kBatch];
    float max = all.max;
    for (int i = 0; i < kBatch; ++i) {
      const std::int64_t at = first + i * kThreads;
      z[i] = at < n ? logit(at) : -INFINITY;
      max = z[i] > max ? z[i] : max;
    }
    all = lowered(all, max);
    for (int i = 0; i < kBatch; ++i) {
      const float exp = std::exp(z[i] - max);
      all.sum += exp;
      all.weighted += exp > 0 ? exp * (z[i] - max) : 0.0f;
    }
  }
  return all;
}

// A row of the arguments.
struct LogpRow {
  const float* logits;
  float scale;
  std::int32_t target;
  const std::int32_t* support;  // [num_kept], ascending
  std::int64_t num_kept;        // 0: all are

  QED_DEVICE LogpRow(const TokenLogpArgs& a, std::int64_t row)
      : logits(a.logits + row * a.vocab),
        scale(a.inv_temperature[row]),
        target(a.target[row]),
        support(nullptr),
        num_kept(0) {
    if (a.support_first == nullptr) return;
    support = a.support + a.support_first[row];
    num_kept = a.support_first[row + 1] - a.support_first[row];
  }
  QED_DEVICE float scaled(std::int64_t id) const { return logits[id] * scale; }
};

// sums[0] = all of them.
template <class Block>
QED_DEVICE void join(const Block& block, SoftmaxSums* sums) {
  for (int half = kThreads / 2; half > 0; half /= 2) {
    block.each([=](int thread) {
      if (thread < half) sums[thread] = joined(sums[thread], sums[thread + half]);
    });
  }
}

// sums[0] = the statistics of the whole row.
template <class Block>
QED_DEVICE void gather_all(const Block& block, const LogpRow& row, std::int64_t vocab,
                           SoftmaxSums* sums) {
  block.each([=](int thread) {
    sums[thread] = sums_of_thread(thread, vocab, [&](std::int64_t i) { return row.scaled(i); });
  });
  join(block, sums);
}

// sums[0] = those of the ids kept.
template <class Block>
QED_DEVICE void gather_kept(const Block& block, const LogpRow& row, SoftmaxSums* sums) {
  block.each([=](int thread) {
    sums[thread] = sums_of_thread(thread, row.num_kept,
                                  [&](std::int64_t i) { return row.scaled(row.support[i]); });
  });
  join(block, sums);
}

struct TokenLogpBody {
  using Shared = SoftmaxSums;
  static constexpr std::int64_t kShared = 2 * kThreads;
  TokenLogpArgs a;

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, SoftmaxSums* shared) const {
    const LogpRow row(a, number);
    SoftmaxSums* const kept = row.num_kept == 0 ? shared : shared + kThreads;
    gather_all(block, row, a.vocab, shared);
    if (row.num_kept != 0) gather_kept(block, row, kept);
    block.each([=, *this](int thread) {
      if (thread != 0) return;
      const double above = static_cast<double>(row.scaled(row.target)) - kept->max;
      a.logp[number] = static_cast<float>(above - std::log(static_cast<double>(kept->sum)));
      a.entropy[number] = shared->entropy();
    });
  }
};

// T: of dlogits.
template <class T>
struct TokenLogpBackwardBody {
  using Shared = SoftmaxSums;
  static constexpr std::int64_t kShared = 2 * kThreads;
  TokenLogpBackwardArgs a;

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, SoftmaxSums* shared) const {
    const LogpRow row(a.forward, number);
    const std::int64_t vocab = a.forward.vocab;
    const float dentropy = a.dentropy == nullptr ? 0.0f : row.scale * a.dentropy[number];
    const float dlogp = row.scale * a.dlogp[number];
    SoftmaxSums* const kept = row.num_kept == 0 ? shared : shared + kThreads;
    if (kept == shared || dentropy != 0) gather_all(block, row, vocab, shared);
    if (row.num_kept != 0) gather_kept(block, row, kept);
    T* const to = static_cast<T*>(a.dlogits) + number * vocab;
    block.each([=](int thread) {
      const float of_kept = -dlogp / kept->sum;
      // d entropy / d z = -p (log p + entropy) = -p (z - max - mean).
      const float of_all = dentropy != 0 ? -dentropy / shared->sum : 0.0f;
      const float mean = dentropy != 0 ? shared->mean() : 0.0f;
      std::int64_t next = 0;  // of the support
      for (std::int64_t i = thread; i < vocab; i += kThreads) {
        const float z = row.scaled(i);
        while (next < row.num_kept && row.support[next] < i) ++next;
        const bool is_kept = row.num_kept == 0 || (next < row.num_kept && row.support[next] == i);
        float d = is_kept ? of_kept * std::exp(z - kept->max) : 0.0f;
        if (i == row.target) d += dlogp;
        if (of_all != 0) {
          const float above = z - shared->max;
          d += of_all * std::exp(above) * (above - mean);
        }
        put(to[i], d);
      }
    });
  }
};

}  // namespace qed::cuda
