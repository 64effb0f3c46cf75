#pragma once

// Causal self-attention over packed rows: softmax(q k^T / sqrt(dim)) v, heads sharing keys in
// groups (GQA). One kernel computes one query position against its keys, whether these lie in the
// same packed batch or in a cache; so decoding, prefill and training give the same bits.
//
// Shapes: T rows; a row of qkv holds `heads` queries, then `kv_heads` keys, then `kv_heads` values,
// of `dim` floats each, already rotated. Results are [T, heads * dim] float32.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace qed::ops {

struct Heads {
  std::int64_t heads, kv_heads, dim;
  std::int64_t kv_width() const { return kv_heads * dim; }
  std::int64_t qkv_width() const { return (heads + 2 * kv_heads) * dim; }
};

// Sequence b is rows offset[b] .. offset[b+1]-1; each row sees its sequence up to itself.
// Differentiable in qkv.
at::Tensor attention(const at::Tensor& qkv, const Heads& shape,
                     std::span<const std::int64_t> offset);

// Where one row's keys and values go, and which it sees: rows [0, position] of a slot.
struct CacheRow {
  std::int64_t slot, position;
};

// One layer of a cache: k and v are [slots, capacity, kv_heads * dim].
struct CacheLayer {
  float* k;
  float* v;
  std::int64_t capacity;
};

// Writes the keys and values of all rows to the cache, then attends. No gradient.
at::Tensor attention_cached(const at::Tensor& qkv, const Heads& shape, const CacheLayer& cache,
                            std::span<const CacheRow> rows);

}  // namespace qed::ops
