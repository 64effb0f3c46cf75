#pragma once

// Bodies that work number by number: swiglu, embedding, rope with the write to the cache.

#include "core/cuda/kernels/body.h"
#include "core/cuda/kernels/page_layout.h"

#include <cmath>

namespace qed::cuda {

// i = row * dim + column.
template <class T>
struct SwigluBody {
  SwigluArgs a;

  std::int64_t size() const { return a.rows * a.dim; }
  QED_DEVICE void operator()(std::int64_t i) const {
    const T* const row = static_cast<const T*>(a.gate_up) + i / a.dim * 2 * a.dim;
    const float gate = to_float(row[i % a.dim]), up = to_float(row[a.dim + i % a.dim]);
    put(static_cast<T*>(a.out)[i], gate / (1.0f + std::exp(-gate)) * up);
  }
};

// i = row * dim + column.
template <class T>
struct EmbeddingBody {
  EmbeddingArgs a;

  std::int64_t size() const { return a.rows * a.dim; }
  QED_DEVICE void operator()(std::int64_t i) const {
    const std::int64_t id = a.id[i / a.dim];
    static_cast<T*>(a.out)[i] = static_cast<const T*>(a.w)[id * a.dim + i % a.dim];
  }
};

// i = (row * all heads + head) * dim / 2 + column of the head's lower half.
template <class T>
struct RopeBody {
  RopeArgs a;

  std::int64_t size() const { return a.rows * (a.heads + 2 * a.kv_heads) * (a.dim / 2); }
  QED_DEVICE void operator()(std::int64_t i) const {
    const std::int64_t half = a.dim / 2, all = a.heads + 2 * a.kv_heads;
    const std::int64_t d = i % half, head = i / half % all, row = i / half / all;
    T* const low = static_cast<T*>(a.qkv) + (row * all + head) * a.dim + d;
    T* const high = low + half;
    const std::int64_t position = a.position[row];
    const bool is_value = head >= a.heads + a.kv_heads;
    if (!is_value) {
      const float x = to_float(*low), y = to_float(*high);
      const float c = a.cos[position * half + d], s = a.sin[position * half + d];
      put(*low, x * c - y * s);
      put(*high, y * c + x * s);
    }
    if (a.pool == nullptr || head < a.heads) return;
    const PageLayout layout{a.kv_heads, a.dim};
    const std::int64_t slot = position % kPageSlots;
    const std::int64_t page = a.pages[a.sequence[row] * a.max_pages + position / kPageSlots];
    const std::int64_t kv_head = (head - a.heads) % a.kv_heads;
    T* const pool = static_cast<T*>(a.pool);
    if (is_value) {
      pool[layout.value(page, kv_head, slot, d)] = *low;
      pool[layout.value(page, kv_head, slot, d + half)] = *high;
    } else {
      pool[layout.key(page, kv_head, slot, d)] = *low;
      pool[layout.key(page, kv_head, slot, d + half)] = *high;
    }
  }
};

}  // namespace qed::cuda
