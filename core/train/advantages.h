#pragma once

// The advantages of a step, from its algorithm.

#include "core/host/algorithm.h"
#include "core/train/experience.h"

#include <cstdint>

namespace qed {

// Fills adv, keep and, where values are, ret of the whole experience. `step` and `seed` are for the
// plugin. Throws what Algorithm::advantage throws.
void compute_advantages(const Algorithm& algorithm, Experience& experience, std::uint64_t step,
                        std::uint64_t seed, MetricSums& metrics);

}  // namespace qed
