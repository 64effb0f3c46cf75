#pragma once

// The ids of a row that may still be drawn, and what leaves ids out: the truncations find what they
// keep by bisection over a rank, so that nothing is sorted.

#include "core/cuda/kernels/body.h"

#include <bit>
#include <cmath>

namespace qed::cuda {

QED_DEVICE inline bool is_possible(float z) { return z != -INFINITY; }
QED_DEVICE inline bool is_kept(float z) { return z > -INFINITY; }

// Ranks ids by likelihood: larger logits are larger, of equal ones the lower id. Unique.
QED_DEVICE inline std::uint64_t rank_of(float z, std::int64_t id) {
  const auto bits = std::bit_cast<std::uint32_t>(z == 0 ? 0.0f : z);  // -0 is 0
  const std::uint32_t ordered = (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
  return std::uint64_t{ordered} << 32 | (0xffffffffu - static_cast<std::uint32_t>(id));
}

template <class Block>
class Candidates {
 public:
  // z [vocab] is changed by who holds this, too; shared [kThreads].
  QED_DEVICE Candidates(const Block& block, std::int64_t vocab, float* z, double* shared)
      : block_(block), vocab_(vocab), z_(z), shared_(shared) {}

  template <class F>
  QED_DEVICE void for_each(const F& f) {
    const std::int64_t vocab = vocab_;
    block_.each([=](int thread) {
      for (std::int64_t i = thread; i < vocab; i += kThreads) f(i);
    });
  }

  // The sum of f(id) over the vocabulary: by thread, then by tree.
  template <class F>
  QED_DEVICE double sum(const F& f) {
    double* const shared = shared_;
    const std::int64_t vocab = vocab_;
    block_.each([=](int thread) {
      double part = 0;
      for (std::int64_t i = thread; i < vocab; i += kThreads) part += f(i);
      shared[thread] = part;
    });
    add_up(block_, shared);
    return read();
  }

  // The largest kept logit times `scale`; -infinity where nothing is kept.
  QED_DEVICE float max_kept(const float* z, float scale) {
    double* const shared = shared_;
    const std::int64_t vocab = vocab_;
    block_.each([=](int thread) {
      float max = -INFINITY;
      for (std::int64_t i = thread; i < vocab; i += kThreads) {
        const float scaled = z[i] * scale;
        if (is_kept(z[i]) && scaled > max) max = scaled;
      }
      shared[thread] = max;
    });
    for (int half = kThreads / 2; half > 0; half /= 2) {
      block_.each([=](int thread) {
        if (thread >= half) return;
        if (shared[thread + half] > shared[thread]) shared[thread] = shared[thread + half];
      });
    }
    return static_cast<float>(read());
  }

  QED_DEVICE double num_kept() {
    const float* const z = z_;
    return sum([=](std::int64_t i) { return is_kept(z[i]) ? 1.0 : 0.0; });
  }

  // Whether no truncation left out an id.
  QED_DEVICE bool is_all() { return num_kept() == num_possible(); }

  // The truncations; what is equally likely goes from the highest id on.
  QED_DEVICE void keep_top(double k) {
    if (k >= num_kept()) return;
    keep_prefix(k, [](float) { return 1.0; });
  }

  // The likeliest ids that have the share p of the mass at temperature 1 / scale.
  QED_DEVICE void keep_mass(float scale, float p) {
    const float max = max_kept(z_, scale);
    const auto weight = [=](float z) { return static_cast<double>(std::exp(z * scale - max)); };
    const float* const z = z_;
    const double total = sum([=](std::int64_t i) { return is_kept(z[i]) ? weight(z[i]) : 0.0; });
    keep_prefix(p * total, weight);
  }

  // The ids that have the share min_p of the likeliest one's probability.
  QED_DEVICE void keep_likely(float scale, float min_p) {
    const double max = max_kept(z_, 1), least = std::log(static_cast<double>(min_p));
    float* const z = z_;
    for_each([=](std::int64_t i) {
      if (is_kept(z[i]) && (z[i] - max) * scale < least) z[i] = NAN;
    });
  }

 private:
  // shared[0], for all threads, which may write to it afterwards.
  QED_DEVICE double read() {
    const double value = *shared_;
    block_.each([](int) {});
    return value;
  }

  QED_DEVICE double num_possible() {
    const float* const z = z_;
    return sum([=](std::int64_t i) { return is_possible(z[i]) ? 1.0 : 0.0; });
  }

  // Leaves out all but the shortest prefix of the ranking whose weights reach `target`, at least
  // one id; all of it where none does.
  template <class Weight>
  QED_DEVICE void keep_prefix(double target, const Weight& weight) {
    float* const z = z_;
    std::uint64_t least = 0;  // the largest rank from which on the weights reach the target
    for (int bit = 63; bit >= 0; --bit) {
      const std::uint64_t rank = least | std::uint64_t{1} << bit;
      const double mass = sum([=](std::int64_t i) {
        return is_kept(z[i]) && rank_of(z[i], i) >= rank ? weight(z[i]) : 0.0;
      });
      if (mass >= target && mass > 0) least = rank;
    }
    for_each([=](std::int64_t i) {
      if (is_kept(z[i]) && rank_of(z[i], i) < least) z[i] = NAN;
    });
  }

  const Block& block_;
  const std::int64_t vocab_;
  float* const z_;
  double* const shared_;
};

}  // namespace qed::cuda
