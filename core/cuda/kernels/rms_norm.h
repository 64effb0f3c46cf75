#pragma once

// The body of rms_norm: a block per row.

#include "core/cuda/kernels/body.h"

#include <cmath>

namespace qed::cuda {

template <class T>
struct RmsNormBody {
  using Shared = float;
  static constexpr std::int64_t kShared = kThreads;
  RmsNormArgs a;

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t row, float* shared) const {
    const std::int64_t begin = row * a.dim;
    const T* x = static_cast<const T*>(a.x) + begin;
    const T* delta = a.delta == nullptr ? nullptr : static_cast<const T*>(a.delta) + begin;
    T* const sum = a.delta == nullptr ? nullptr : static_cast<T*>(a.sum) + begin;
    block.each([=, *this](int thread) {
      float squares = 0;
      for (std::int64_t i = thread; i < a.dim; i += kThreads) {
        T value = x[i];
        if (delta != nullptr) {
          put(value, to_float(x[i]) + to_float(delta[i]));
          sum[i] = value;
        }
        squares += to_float(value) * to_float(value);
      }
      shared[thread] = squares;
    });
    add_up(block, shared);
    const T* const from = delta == nullptr ? x : sum;
    T* const y = static_cast<T*>(a.y) + begin;
    block.each([=, *this](int thread) {
      const float rstd = 1.0f / std::sqrt(shared[0] / static_cast<float>(a.dim) + a.eps);
      for (std::int64_t i = thread; i < a.dim; i += kThreads) {
        put(y[i], to_float(from[i]) * rstd * a.weight[i]);
      }
      if (thread == 0 && a.rstd != nullptr) a.rstd[row] = rstd;
    });
  }
};

}  // namespace qed::cuda
