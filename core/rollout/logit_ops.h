#pragma once

// Ops of a sampler that change logits: penalties, bias and bans. Plain float32 arithmetic, number
// by number, so that doing it again gives the same bits.

#include "core/host/sampler.h"

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace qed {

// The logit of an id that is never drawn.
inline constexpr float kBannedLogit = -std::numeric_limits<float>::infinity();

// Applies one such op to a row; see QED_OP_<op> for what it does. `counts` is scratch: resized to
// the row, 0 before and after. Multiplies slope [V], unless it is null, by the derivative of each
// logit.
void change_logits(const SampleOp& op, std::span<const std::int32_t> prompt,
                   std::span<const std::int32_t> completion, std::vector<std::int32_t>& counts,
                   std::span<float> row, float* slope = nullptr);

}  // namespace qed
