#pragma once

// Bodies that work number by number, four to a thread: swiglu and its backward, embedding, rope
// with the write to the cache, and a change of dtype.

#include "core/cuda/kernels/page_layout.h"
#include "core/cuda/kernels/quads.h"
#include "core/cuda/train_args.h"

#include <cmath>

namespace qed::cuda {

QED_DEVICE inline float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

// i = row * quads of a row + quad.
template <class T>
struct SwigluBody {
  SwigluArgs a;

  std::int64_t size() const { return a.rows * num_quads(a.dim); }
  QED_DEVICE void operator()(std::int64_t i) const {
    are_whole(a.dim, a.gate_up, a.out) ? run<true>(i) : run<false>(i);
  }

 private:
  template <bool kWhole>
  QED_DEVICE void run(std::int64_t i) const {
    const std::int64_t row = i / num_quads(a.dim), column = i % num_quads(a.dim) * 4;
    const T* const in = static_cast<const T*>(a.gate_up) + row * 2 * a.dim;
    const Quad<float> gate = load_wide<kWhole>(in, column, a.dim);
    const Quad<float> up = load_wide<kWhole>(in + a.dim, column, a.dim);
    store_wide<kWhole>(static_cast<T*>(a.out) + row * a.dim, column, a.dim, make_quad([&](int j) {
                         return gate.x[j] / (1.0f + std::exp(-gate.x[j])) * up.x[j];
                       }));
  }
};

// i = row * quads of a row + quad.
template <class T>
struct SwigluBackwardBody {
  SwigluBackwardArgs a;

  std::int64_t size() const { return a.rows * num_quads(a.dim); }
  QED_DEVICE void operator()(std::int64_t i) const {
    are_whole(a.dim, a.dout, a.gate_up, a.din) ? run<true>(i) : run<false>(i);
  }

 private:
  template <bool kWhole>
  QED_DEVICE void run(std::int64_t i) const {
    const std::int64_t row = i / num_quads(a.dim), column = i % num_quads(a.dim) * 4;
    const T* const in = static_cast<const T*>(a.gate_up) + row * 2 * a.dim;
    const T* const dout = static_cast<const T*>(a.dout) + row * a.dim;
    T* const din = static_cast<T*>(a.din) + row * 2 * a.dim;
    const Quad<float> d = load_wide<kWhole>(dout, column, a.dim);
    const Quad<float> gate = load_wide<kWhole>(in, column, a.dim);
    const Quad<float> up = load_wide<kWhole>(in + a.dim, column, a.dim);
    const Quad<float> s = make_quad([&](int j) { return sigmoid(gate.x[j]); });
    store_wide<kWhole>(din, column, a.dim, make_quad([&](int j) {
                         return d.x[j] * up.x[j] * s.x[j] * (1.0f + gate.x[j] * (1.0f - s.x[j]));
                       }));
    store_wide<kWhole>(din + a.dim, column, a.dim,
                       make_quad([&](int j) { return d.x[j] * gate.x[j] * s.x[j]; }));
  }
};

// i = row * quads of a row + quad.
template <class T>
struct EmbeddingBody {
  EmbeddingArgs a;

  std::int64_t size() const { return a.rows * num_quads(a.dim); }
  QED_DEVICE void operator()(std::int64_t i) const {
    are_whole(a.dim, a.w, a.out) ? run<true>(i) : run<false>(i);
  }

 private:
  template <bool kWhole>
  QED_DEVICE void run(std::int64_t i) const {
    const std::int64_t row = i / num_quads(a.dim), column = i % num_quads(a.dim) * 4;
    const T* const from = static_cast<const T*>(a.w) + a.id[row] * a.dim;
    store_quad<kWhole>(static_cast<T*>(a.out) + row * a.dim, column, a.dim,
                       load_quad<kWhole>(from, column, a.dim));
  }
};

// i = (row * heads looked at + head) * quads of half a head + quad of the head's lower half.
template <class T>
struct RopeBody {
  RopeArgs a;

  std::int64_t size() const { return a.rows * num_heads() * num_quads(a.dim / 2); }
  QED_DEVICE void operator()(std::int64_t i) const {
    are_whole(a.dim / 2, a.qkv, a.cos, a.sin, a.pool) ? run<true>(i) : run<false>(i);
  }

 private:
  // Of a row: values only where they are written to pages.
  QED_HOST_DEVICE std::int64_t num_heads() const {
    return a.heads + (a.pool == nullptr ? 1 : 2) * a.kv_heads;
  }

  template <bool kWhole>
  QED_DEVICE void run(std::int64_t i) const {
    const std::int64_t half = a.dim / 2, quads = num_quads(half), heads = num_heads();
    const std::int64_t d = i % quads * 4, head = i / quads % heads, row = i / quads / heads;
    T* const low = static_cast<T*>(a.qkv) + (row * (a.heads + 2 * a.kv_heads) + head) * a.dim;
    T* const high = low + half;
    Quad<T> x = load_quad<kWhole>(low, d, half), y = load_quad<kWhole>(high, d, half);
    if (head < a.heads + a.kv_heads) {
      const std::int64_t angle = a.position[row] * half;
      const Quad<float> c = load_quad<kWhole>(a.cos + angle, d, half);
      const Quad<float> s = load_quad<kWhole>(a.sin + angle, d, half);
      const Quad<float> u = widen(x), v = widen(y);
      x = narrow<T>(
          make_quad([&](int j) { return u.x[j] * c.x[j] - v.x[j] * (a.direction * s.x[j]); }));
      y = narrow<T>(
          make_quad([&](int j) { return v.x[j] * c.x[j] + u.x[j] * (a.direction * s.x[j]); }));
      store_quad<kWhole>(low, d, half, x);
      store_quad<kWhole>(high, d, half, y);
    }
    if (a.pool != nullptr && head >= a.heads) write<kWhole>(row, head - a.heads, d, x, y);
  }

  // number: of the key head, then of the value head.
  template <bool kWhole>
  QED_DEVICE void write(std::int64_t row, std::int64_t number, std::int64_t d, const Quad<T>& x,
                        const Quad<T>& y) const {
    const PageLayout layout{a.kv_heads, a.dim};
    const std::int64_t half = a.dim / 2, position = a.position[row], slot = position % kPageSlots;
    const std::int64_t page = a.pages[a.sequence[row] * a.max_pages + position / kPageSlots];
    T* const pool = static_cast<T*>(a.pool);
    if (number >= a.kv_heads) {
      T* const value = pool + layout.value(page, number - a.kv_heads, slot, 0);
      store_quad<kWhole>(value, d, half, x);
      store_quad<kWhole>(value + half, d, half, y);
      return;
    }
    T* const key = pool + layout.key(page, number, slot, 0);
    for (int j = 0; j < 4; ++j) {
      if (d + j >= half) return;
      key[(d + j) * kPageSlots] = x.x[j];
      key[(d + j + half) * kPageSlots] = y.x[j];
    }
  }
};

// i: a quad.
template <class From, class To>
struct ConvertBody {
  ConvertArgs a;

  std::int64_t size() const { return num_quads(a.n); }
  QED_DEVICE void operator()(std::int64_t i) const {
    4 * i + 4 <= a.n&& are_whole(0, a.from, a.to) ? run<true>(4 * i) : run<false>(4 * i);
  }

 private:
  template <bool kWhole>
  QED_DEVICE void run(std::int64_t i) const {
    store_wide<kWhole>(static_cast<To*>(a.to), i, a.n,
                       load_wide<kWhole>(static_cast<const From*>(a.from), i, a.n));
  }
};

}  // namespace qed::cuda
