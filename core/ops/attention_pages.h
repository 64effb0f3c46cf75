#pragma once

// Attention over pages: what packed and paged attention share.

#include "core/ops/attention.h"
#include "core/ops/panels.h"

#include <cmath>

namespace qed::ops {

inline float score_scale(const Heads& h) { return 1.0f / std::sqrt(static_cast<float>(h.dim)); }
inline std::int64_t padded_dim(const Heads& h) { return num_panels(h.dim) * kLanes; }

// Writes the keys and values of the runs' rows to their pages. `qkv` [T, qkv width].
void write_pages(const float* qkv, const Heads& h, float* pool, std::span<const CacheRun> runs);

// Attention of all rows of the runs, whose pages are written; [T, heads * dim]. Fills lse [T,
// heads] where it is not null.
at::Tensor attend(const at::Tensor& qkv, const Heads& h, const float* pool,
                  std::span<const CacheRun> runs, float* lse);

}  // namespace qed::ops
