#pragma once

// Where keys and values lie in a layer's pool: as on the CPU (core/ops/attention.h), in elements.
// Per kv head of a page the keys [dim][16], then the values [16][dim rounded up to 16].

#include "core/cuda/kernels/body.h"

namespace qed::cuda {

inline constexpr std::int64_t kPageSlots = 16;  // positions of a page

struct PageLayout {
  std::int64_t kv_heads, dim;

  QED_DEVICE std::int64_t padded() const {
    return (dim + kPageSlots - 1) / kPageSlots * kPageSlots;
  }
  QED_DEVICE std::int64_t head() const { return kPageSlots * (dim + padded()); }
  QED_DEVICE std::int64_t page() const { return kv_heads * head(); }
  // Of element d; the next element of a key is kPageSlots further, that of a value is the next.
  QED_DEVICE std::int64_t key(std::int64_t page_number, std::int64_t kv_head, std::int64_t slot,
                              std::int64_t d) const {
    return page_number * page() + kv_head * head() + d * kPageSlots + slot;
  }
  QED_DEVICE std::int64_t value(std::int64_t page_number, std::int64_t kv_head, std::int64_t slot,
                                std::int64_t d) const {
    return page_number * page() + kv_head * head() + dim * kPageSlots + slot * padded() + d;
  }
};

}  // namespace qed::cuda
