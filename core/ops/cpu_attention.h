#pragma once

// What the attention kernels work on; see cpu_kernels.h for the rules that they keep.

#include "core/ops/panels.h"

#include <cstdint>

namespace qed::ops {

// Query rows of one kv head over the keys of one sequence. Keys and values lie in pages of kLanes
// positions: keys as a panel [head_dim][kLanes], then values [kLanes][head_dim rounded up to 16].
struct AttentionTile {
  std::int64_t rows;
  const float* const* q;         // [rows], each [head_dim]
  float* const* out;             // [rows], each [head_dim]
  float* const* lse;             // [rows], one number each: log sum exp of the scores; or null
  const std::int64_t* num_keys;  // [rows], each >= 1: positions 0 .. num_keys-1 are seen
  const float* kv;               // page p of this head begins at kv + pages[p] * page_stride
  const std::int32_t* pages;
  std::int64_t page_stride, head_dim;
  float scale;
  float* scratch;  // rows * (the largest num_keys, rounded up to 16) floats
};

// The backward of some neighbouring positions over one kv head: they are the last `rows` of the
// `num_keys` positions that they see.
struct AttentionBackward {
  std::int64_t rows, num_keys, group, head_dim;  // group: query heads of this kv head
  float scale;
  const float* q;           // head h of row t at q + t * q_stride + h * head_dim; dq likewise
  const float *out, *dout;  // likewise, with out_stride
  const float* lse;         // head h of row t at lse + t * lse_stride + h
  float* dq;
  std::int64_t q_stride, out_stride, lse_stride;
  const float *keys, *values;  // [num_keys][head_dim], both rounded up to 16, 0 where there is none
  float *dkeys, *dvalues;      // of the same shape; are added to
  float* scratch;              // attention_backward_floats() floats
};

inline constexpr std::int64_t kBackwardRows = 16;  // positions that the backward takes together

inline constexpr std::int64_t attention_backward_floats(std::int64_t num_keys, std::int64_t group,
                                                        std::int64_t head_dim) {
  const std::int64_t n = num_panels(num_keys) * kLanes, dim = num_panels(head_dim) * kLanes;
  const std::int64_t rows = kBackwardRows * group;
  return 2 * n * dim + rows * (3 * dim + 2 * n + 1) + (rows + n + 2 * kLanes) * (rows + n + dim);
}

}  // namespace qed::ops
