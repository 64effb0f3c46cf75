#pragma once

// Rows taken four numbers at a time, a thread per quad: one access of 8 or 16 bytes where rows lie
// at multiples of it (`kWhole`), else number by number. A thread has the same numbers in both
// cases, so the place of a row in memory changes no bit.

#include "core/cuda/kernels/body.h"

#include <cstdint>

namespace qed::cuda {

template <class T>
struct alignas(4 * sizeof(T)) Quad {
  T x[4];
};

QED_HOST_DEVICE inline std::int64_t num_quads(std::int64_t dim) { return (dim + 3) / 4; }

// True where matrices of `dim` columns that begin at these pointers (or are null) are whole quads.
template <class... Types>
QED_DEVICE bool are_whole(std::int64_t dim, const Types*... begin) {
  return dim % 4 == 0 && ((reinterpret_cast<std::uintptr_t>(begin) | ...) & 15) == 0;
}

// row[i .. i + 3], i a multiple of four; 0 from `dim` on.
template <bool kWhole, class T>
QED_DEVICE Quad<T> load_quad(const T* row, std::int64_t i, std::int64_t dim) {
  if constexpr (kWhole) {
    return *reinterpret_cast<const Quad<T>*>(row + i);
  } else {
    Quad<T> out{};
    for (int j = 0; j < 4; ++j) {
      if (i + j < dim) out.x[j] = row[i + j];
    }
    return out;
  }
}

// The other way; what is beyond `dim` is not written.
template <bool kWhole, class T>
QED_DEVICE void store_quad(T* row, std::int64_t i, std::int64_t dim, const Quad<T>& quad) {
  if constexpr (kWhole) {
    *reinterpret_cast<Quad<T>*>(row + i) = quad;
  } else {
    for (int j = 0; j < 4; ++j) {
      if (i + j < dim) row[i + j] = quad.x[j];
    }
  }
}

// {f(0), f(1), f(2), f(3)}.
template <class F>
QED_DEVICE Quad<float> make_quad(const F& f) {
  return {{f(0), f(1), f(2), f(3)}};
}

template <class T>
QED_DEVICE Quad<float> widen(const Quad<T>& quad) {
  return make_quad([&](int j) { return to_float(quad.x[j]); });
}

template <class T>
QED_DEVICE Quad<T> narrow(const Quad<float>& quad) {
  Quad<T> out;
  for (int j = 0; j < 4; ++j) put(out.x[j], quad.x[j]);
  return out;
}

template <bool kWhole, class T>
QED_DEVICE Quad<float> load_wide(const T* row, std::int64_t i, std::int64_t dim) {
  return widen(load_quad<kWhole>(row, i, dim));
}

template <bool kWhole, class T>
QED_DEVICE void store_wide(T* row, std::int64_t i, std::int64_t dim, const Quad<float>& quad) {
  store_quad<kWhole>(row, i, dim, narrow<T>(quad));
}

QED_DEVICE inline void add(float& sum, float x) { sum += x; }
QED_DEVICE inline void add(Quad<float>& sum, const Quad<float>& quad) {
  for (int j = 0; j < 4; ++j) sum.x[j] += quad.x[j];
}

// Adds term(begin) .. term(end - 1) to `sum`, in that order. 32 numbers are fetched at a time, so
// that a thread does not wait for the memory once per term.
template <class Sum, class Term>
QED_DEVICE void add_in_order(Sum& sum, std::int64_t begin, std::int64_t end, const Term& term) {
  constexpr int kAhead = 32 * sizeof(float) / sizeof(Sum);
  std::int64_t i = begin;
  for (; i + kAhead <= end; i += kAhead) {
    Sum ahead[kAhead];
    for (int j = 0; j < kAhead; ++j) ahead[j] = term(i + j);
    for (int j = 0; j < kAhead; ++j) add(sum, ahead[j]);
  }
  for (; i < end; ++i) add(sum, term(i));
}

}  // namespace qed::cuda
