#pragma once

// Panels, the layout of weights: a matrix W [N, K] is stored as [ceil(N/16), K, 16] with W[n][k] at
// [n/16][k][n%16]; lanes past N hold 0.

#include <cstdint>

namespace qed::ops {

inline constexpr std::int64_t kLanes = 16;  // columns of a panel

inline constexpr std::int64_t num_panels(std::int64_t n) { return (n + kLanes - 1) / kLanes; }

}  // namespace qed::ops
