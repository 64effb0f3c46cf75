#pragma once

// Where the rows of packed sequences lie: see AttentionArgs and AttentionBackwardArgs.

#include "core/cuda/kernels/body.h"

namespace qed::cuda {

// Sequence b, and the rows of its prefix, which come before it.
struct PackedSequence {
  std::int64_t begin = 0, length = 0, prefix_begin = 0, before = 0;

  PackedSequence() = default;
  QED_DEVICE PackedSequence(const std::int32_t* offset, const std::int32_t* prefix, std::int64_t b)
      : begin(offset[b]), length(offset[b + 1] - begin) {
    if (prefix[b] < 0) return;
    prefix_begin = offset[prefix[b]];
    before = offset[prefix[b] + 1] - prefix_begin;
  }
  QED_DEVICE std::int64_t row(std::int64_t position) const {
    return position < before ? prefix_begin + position : begin + position - before;
  }
};

}  // namespace qed::cuda
