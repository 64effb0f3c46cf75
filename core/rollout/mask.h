#pragma once

// What a sampler's mask allows: one bit per token.

#include "core/host/sampler.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace qed {

// A completion whose next token is to be constrained. Borrowed.
struct MaskedRow {
  std::uint64_t number;  // of the completion in this call of generate
  std::string_view prompt;
  std::span<const std::int32_t> tokens;  // so far
};

// Asks once for all rows. Returns [rows][ceil(vocab_size / 8)]; see qed_mask_row.allowed.
std::vector<std::uint8_t> ask_mask(const Sampler& sampler, std::uint64_t seed,
                                   std::span<const MaskedRow> rows, std::int64_t vocab_size);

}  // namespace qed
