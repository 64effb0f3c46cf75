#pragma once

// Causal self-attention over packed rows: softmax(q k^T / sqrt(dim)) v, heads sharing keys in
// groups (GQA). One kernel computes a query against its keys, which lie in pages of 16 positions,
// whether these were made for a packed batch or belong to a cache; so decoding, prefill and
// training give the same bits.
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

inline constexpr std::int64_t kPagePositions = 16;

// Floats of one page in one layer: per kv head the keys [dim][16], then the values [16][dim rounded
// up to 16].
std::int64_t page_floats(const Heads& shape);

// Sequence b is rows offset[b] .. offset[b+1]-1; each row sees its sequence up to itself. Where
// prefix[b] >= 0, the rows of that earlier sequence, which has no prefix, come before b's own: a
// prompt that several completions share, with the bits that each would get from a copy of it. An
// empty `prefix`: nobody has one. Differentiable in qkv.
at::Tensor attention(const at::Tensor& qkv, const Heads& shape,
                     std::span<const std::int64_t> offset,
                     std::span<const std::int64_t> prefix = {});

// Rows of one sequence at neighbouring positions, which go to, and see, its pages.
struct CacheRun {
  std::int64_t first_row, num_rows;
  std::int64_t position;      // of the first row; what lies before it is in the pages already
  const std::int32_t* pages;  // position p is in pages[p / 16]; borrowed
};

// Writes the keys and values of all rows to `pool`, one layer of a pool of pages of page_floats()
// each, then attends. The runs cover all rows, and no two write to one page. No gradient.
at::Tensor attention_paged(const at::Tensor& qkv, const Heads& shape, float* pool,
                           std::span<const CacheRun> runs);

}  // namespace qed::ops
