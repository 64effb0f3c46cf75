#pragma once

// What one thread does of the norm of a vector, and of its gradient: core/ops/rms_norm.h has the
// formulas.

#include "core/cuda/kernels/body.h"
#include "core/cuda/kernels/quads.h"

#include <cmath>

namespace qed::cuda {

// A thread's part of a vector that `threads` share: every `threads`-th quad.
struct Share {
  int thread, threads;
  std::int64_t dim;

  // f(i): i is the first number of a quad.
  template <class F>
  QED_DEVICE void each(const F& f) const {
    for (std::int64_t i = 4 * thread; i < dim; i += 4 * threads) f(i);
  }
};

// The sum of squares of x, or of x + delta, which is then written to `sum` and taken as written.
template <bool kWhole, class T>
QED_DEVICE float norm_squares(const Share& share, const T* x, const T* delta, T* sum) {
  float squares = 0;
  share.each([&](std::int64_t i) {
    Quad<float> value = load_wide<kWhole>(x, i, share.dim);
    if (delta != nullptr) {
      add(value, load_wide<kWhole>(delta, i, share.dim));
      const Quad<T> stored = narrow<T>(value);
      store_quad<kWhole>(sum, i, share.dim, stored);
      value = widen(stored);
    }
    for (int j = 0; j < 4; ++j) squares += value.x[j] * value.x[j];
  });
  return squares;
}

QED_DEVICE inline float norm_rstd(float squares, std::int64_t dim, float eps) {
  return 1.0f / std::sqrt(squares / static_cast<float>(dim) + eps);
}

template <bool kWhole, class T>
QED_DEVICE void write_norm(const Share& share, const T* x, const float* weight, float rstd, T* y) {
  share.each([&](std::int64_t i) {
    const Quad<float> value = load_wide<kWhole>(x, i, share.dim);
    const Quad<float> w = load_quad<kWhole>(weight, i, share.dim);
    store_wide<kWhole>(y, i, share.dim,
                       make_quad([&](int j) { return value.x[j] * rstd * w.x[j]; }));
  });
}

// The sum of dy x weight.
template <bool kWhole, class T>
QED_DEVICE float norm_products(const Share& share, const T* dy, const T* x, const float* weight) {
  float products = 0;
  share.each([&](std::int64_t i) {
    const Quad<float> d = load_wide<kWhole>(dy, i, share.dim);
    const Quad<float> value = load_wide<kWhole>(x, i, share.dim);
    const Quad<float> w = load_quad<kWhole>(weight, i, share.dim);
    for (int j = 0; j < 4; ++j) products += d.x[j] * value.x[j] * w.x[j];
  });
  return products;
}

// `products`: of the whole vector. dx may be dy, x or `before`, which may be null.
template <bool kWhole, class T>
QED_DEVICE void write_norm_backward(const Share& share, const T* dy, const T* x,
                                    const float* weight, float rstd, float products,
                                    const T* before, T* dx) {
  const float mean = products * rstd * rstd / static_cast<float>(share.dim);
  share.each([&](std::int64_t i) {
    const Quad<float> d = load_wide<kWhole>(dy, i, share.dim);
    const Quad<float> value = load_wide<kWhole>(x, i, share.dim);
    const Quad<float> w = load_quad<kWhole>(weight, i, share.dim);
    Quad<float> out =
        make_quad([&](int j) { return (d.x[j] * w.x[j] - value.x[j] * mean) * rstd; });
    if (before != nullptr) add(out, load_wide<kWhole>(before, i, share.dim));
    store_wide<kWhole>(dx, i, share.dim, out);
  });
}

template <bool kWhole, class T>
QED_DEVICE void copy_quads(const Share& share, const T* from, T* to) {
  share.each([&](std::int64_t i) {
    store_quad<kWhole>(to, i, share.dim, load_quad<kWhole>(from, i, share.dim));
  });
}

// A row's part of the weight's gradient, for columns c .. c + 3.
template <bool kWhole, class T>
QED_DEVICE Quad<float> norm_dweight(const T* dy, const T* x, float rstd, std::int64_t c,
                                    std::int64_t dim) {
  const Quad<float> d = load_wide<kWhole>(dy, c, dim), value = load_wide<kWhole>(x, c, dim);
  return make_quad([&](int j) { return d.x[j] * value.x[j] * rstd; });
}

}  // namespace qed::cuda
