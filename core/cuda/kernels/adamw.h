#pragma once

// Bodies of the optimizer: sum of squares in two passes, and the AdamW step.

#include "core/cuda/kernels/body.h"

#include <cmath>

namespace qed::cuda {

// A block per piece: parts[piece] = the sum of its squares.
struct SquaresBody {
  using Shared = double;
  static constexpr std::int64_t kShared = kThreads;
  SumSquaresArgs a;

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t piece, double* shared) const {
    const std::int64_t begin = piece * kPiece;
    const std::int64_t end = begin + kPiece < a.n ? begin + kPiece : a.n;
    block.each([=, *this](int thread) {
      double sum = 0;
      for (std::int64_t i = begin + thread; i < end; i += kThreads) {
        sum += static_cast<double>(a.x[i]) * a.x[i];
      }
      shared[thread] = sum;
    });
    add_up(block, shared);
    block.each([=, *this](int thread) {
      if (thread == 0) a.parts[piece] = shared[0];
    });
  }
};

// One block: out = the sum of all parts.
struct PartsBody {
  using Shared = double;
  static constexpr std::int64_t kShared = kThreads;
  SumSquaresArgs a;

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t, double* shared) const {
    const std::int64_t count = num_pieces(a.n);
    block.each([=, *this](int thread) {
      double sum = 0;
      for (std::int64_t i = thread; i < count; i += kThreads) sum += a.parts[i];
      shared[thread] = sum;
    });
    add_up(block, shared);
    block.each([=, *this](int thread) {
      if (thread == 0) *a.out = shared[0];
    });
  }
};

// i: a weight.
struct AdamwBody {
  AdamwArgs a;

  std::int64_t size() const { return a.n; }
  QED_DEVICE void operator()(std::int64_t i) const {
    const double norm = std::sqrt(*a.sum_squares);
    const float raw = a.grad[i];
    a.grad[i] = 0;
    if (!(norm - norm == 0)) return;
    const double clip = a.clip_norm > 0 ? a.clip_norm / (norm + 1e-6) : 1;
    const float g = raw * static_cast<float>(clip < 1 ? clip : 1);
    const float m = a.m[i] + (g - a.m[i]) * (1.0f - a.beta1);
    const float v = a.v[i] * a.beta2 + g * g * (1.0f - a.beta2);
    const float decayed = a.w[i] * (1.0f - a.lr * a.weight_decay);
    const float w = decayed - a.lr / a.bias1 * m / (std::sqrt(v) / std::sqrt(a.bias2) + a.eps);
    a.m[i] = m;
    a.v[i] = v;
    a.w[i] = w;
    if (a.bfloat16 != nullptr) a.bfloat16[i] = to_bfloat16(w);
  }
};

}  // namespace qed::cuda
