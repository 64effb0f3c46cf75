#pragma once

// What the GPU's backward kernels take; see kernel_args.h. Gradients of weights are float32 and are
// added to, in one fixed order; those of activations have the activations' dtype.

#include "core/cuda/gemm_args.h"
#include "core/cuda/kernel_args.h"

#include <cstdint>

namespace qed::cuda {

// The gradient of RmsNormArgs in x (and in delta, which is the same), and in the weight.
struct RmsNormBackwardArgs {
  std::int64_t rows, dim;
  std::int32_t dtype, reserved;
  const void *dy, *x;          // [rows, dim]; x: what was normalised
  const float *weight, *rstd;  // [dim], [rows]
  const void* before;          // [rows, dim]: is added to dx; or null
  void* dx;                    // [rows, dim]; may be dy, x or before
  float* parts;                // [num_row_pieces(rows), dim]: scratch
  float* dweight;              // [dim]
};

// rms_norm of each query head and each key head of a row alone; what follows is copied. See
// head_norm in core/ops/rms_norm.h.
struct HeadNormArgs {
  std::int64_t rows, heads, kv_heads, dim, width;  // width: elements of a row
  std::int32_t dtype;
  float eps;
  const void* x;                     // [rows, width]
  const float *q_weight, *k_weight;  // [dim]
  void* y;                           // [rows, width]; may be x
  float* rstd;                       // [rows, heads + kv_heads], for a backward; or null
};

struct HeadNormBackwardArgs {
  std::int64_t rows, heads, kv_heads, dim, width;
  std::int32_t dtype, reserved;
  const void *dy, *x;                       // [rows, width]
  const float *q_weight, *k_weight, *rstd;  // as above
  void* dx;                                 // [rows, width]; may be dy
  float* parts;                             // [num_row_pieces(rows), 2, dim]: scratch
  float *dq_weight, *dk_weight;             // [dim]
};

struct SwigluBackwardArgs {
  std::int64_t rows, dim;
  std::int32_t dtype, reserved;
  const void *dout, *gate_up;  // [rows, dim], [rows, 2 * dim]
  void* din;                   // [rows, 2 * dim]; may be gate_up
};

// Rows added up where they came from: to[target[i]] (+)= the sum of from[source[j]] over
// j = first[i] .. first[i + 1] - 1, in that order. A target is there once. Of an embedding, whose
// table is float32, and of selected rows.
struct ScatterRowsArgs {
  std::int64_t targets, dim;
  std::int32_t from_dtype, to_dtype;
  std::int32_t accumulate, reserved;            // 1: adds to what is there
  const void* from;                             // [.., dim]
  const std::int32_t *target, *first, *source;  // [targets], [targets + 1], [first[targets]]
  void* to;                                     // [.., dim]
};

// Attention of packed sequences, backward: see attention() in core/ops/attention.h. Row i of
// sequence b sees the rows of prefix[b], then its own up to itself. qkv, dout and dqkv begin at
// multiples of 16 bytes.
struct AttentionBackwardArgs {
  std::int64_t rows, sequences, heads, kv_heads, dim;
  std::int32_t dtype;
  float scale;
  const void *qkv, *out, *dout;  // [rows, (heads + 2 kv_heads) * dim], [rows, heads * dim] twice
  const float* lse;              // [rows, heads]
  const std::int32_t* sequence;  // [rows]
  const std::int32_t *offset, *prefix;      // [sequences + 1], [sequences]: -1 for none
  const std::int32_t *child_first, *child;  // [sequences + 1], the sequences whose prefix is b, in
                                            // ascending order
  float* delta;                             // [rows, heads]: scratch, the sum of out * dout
  void* dqkv;                               // as qkv
};

}  // namespace qed::cuda
