#pragma once

// What the GPU's kernels take. T rows; arrays of `dtype` hold float32 or bfloat16, sums are float32
// in both cases. Matrices are row-major; the page layout of keys and values is that of
// core/ops/attention.h, in elements of dtype.

#include <cstdint>

namespace qed::cuda {

inline constexpr std::int32_t kFloat32 = 0, kBfloat16 = 1;  // a dtype

// y = (x + delta) / sqrt(mean((x + delta)^2) + eps) * weight, per row; see core/ops/rms_norm.h.
struct RmsNormArgs {
  std::int64_t rows, dim;
  std::int32_t dtype;
  float eps;
  const void *x, *delta;  // [rows, dim]; delta may be null: 0
  const float* weight;    // [dim]
  void* sum;              // [rows, dim]: x + delta, which is what is normalised; null without delta
  void* y;                // [rows, dim]
  float* rstd;            // [rows], for a backward; or null
};

// out = silu(gate) * up; see core/ops/swiglu.h.
struct SwigluArgs {
  std::int64_t rows, dim;
  std::int32_t dtype;
  const void* gate_up;  // [rows, 2 * dim]
  void* out;            // [rows, dim]
};

// out[t] = w[id[t]].
struct EmbeddingArgs {
  std::int64_t rows, dim;
  std::int32_t dtype;
  const std::int32_t* id;  // [rows], each in [0, vocab)
  const void* w;           // [vocab, dim]
  void* out;               // [rows, dim]
};

// Rotates queries and keys in place (core/ops/rope.h) and, where there is a pool, writes keys and
// values to the pages of the row's sequence.
struct RopeArgs {
  std::int64_t rows, heads, kv_heads, dim;
  std::int32_t dtype;
  float direction;               // 1, or -1: undoes it, which is the gradient
  void* qkv;                     // [rows, (heads + 2 kv_heads) * dim]
  const std::int32_t* position;  // [rows]
  const float *cos, *sin;        // [positions, dim / 2]
  void* pool;                    // one layer's pages; or null
  const std::int32_t* sequence;  // [rows]: whose pages a row goes to
  const std::int32_t* pages;     // [sequences, max_pages]: position p is in page p / 16
  std::int64_t max_pages;
};

// Attention of rows to the keys of their sequences; see core/ops/attention.h. Keys and values are
// in pages, those of the rows included; or, where the pool is null, they are the rows' own:
// sequence b is rows offset[b] .. offset[b + 1] - 1, after the rows of prefix[b] where that is not
// -1. A row's bits depend on nothing but its query and its keys, wherever they are.
inline constexpr std::int64_t kSplit = 256;       // positions that a block takes
inline constexpr std::int64_t kTileHeads = 16;    // query heads that it takes
inline constexpr std::int64_t kMaxHeadDim = 256;  // the largest dim

struct AttentionArgs {
  std::int64_t rows, heads, kv_heads, dim;
  std::int32_t dtype;
  float scale;
  const void* qkv;               // [rows, (heads + 2 kv_heads) * dim], rotated
  const void* pool;              // one layer's pages; or null
  const std::int32_t* sequence;  // [rows]
  const std::int32_t* num_keys;  // [rows], each >= 1: positions 0 .. num_keys-1 are seen
  const std::int32_t* pages;     // [sequences, max_pages]
  std::int64_t max_pages;
  const std::int32_t *offset, *prefix;  // [sequences + 1], [sequences], without a pool
  std::int64_t max_splits;              // at least ceil(num_keys / kSplit) of every row
  float* part;                          // [rows, heads, max_splits, dim]: scratch
  float *part_max, *part_sum;           // [rows, heads, max_splits]: scratch
  void* out;                            // [rows, heads * dim]
  float* lse;                           // [rows, heads]: log of the sum of exp(score); or null
};

// out[0] = sum of x^2 in double: pieces of one size, added up in one order.
struct SumSquaresArgs {
  std::int64_t n;
  const float* x;  // [n]
  double* parts;   // [num_pieces(n)]
  double* out;     // [1]
};

inline constexpr std::int64_t kPiece = 1 << 14;
inline constexpr std::int64_t num_pieces(std::int64_t n) { return (n + kPiece - 1) / kPiece; }

// to[i] = from[i], as another dtype.
struct ConvertArgs {
  std::int64_t n;
  std::int32_t from_dtype, to_dtype;
  const void* from;
  void* to;
};

// One AdamW step on flat buffers, with the arithmetic of CpuKernels::adamw (core/ops). The gradient
// is clipped by its norm, which the host need not know, and cleared. Where the norm is not finite
// nothing else changes.
struct AdamwArgs {
  std::int64_t n;
  float *w, *grad, *m, *v;    // [n]
  std::uint16_t* bfloat16;    // [n]: w rounded, what generates; or null
  const double* sum_squares;  // [1], of the gradient
  double clip_norm;           // 0: as it is
  float lr, beta1, beta2, eps, weight_decay;
  float bias1, bias2;  // 1 - beta1^t, 1 - beta2^t
};

}  // namespace qed::cuda
