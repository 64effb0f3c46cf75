#pragma once

// The precisions at which expressions are compared: double, which may only prove a difference,
// then software floats of 192 and of 768 bits.

#include "evaluate.h"

namespace math {

enum class Finding : std::uint8_t { kDifferent, kEqual, kTooCoarse, kUndefined, kNotReal };

// Symbols have a fixed value at each of these points: positive at the first ones, of either sign at
// the others.
inline constexpr std::size_t kNumPoints = 6, kNumPositive = 4;
Rational value_of_symbol(std::string_view name, std::size_t point);

struct Pair {
  const Tree& tree;
  NodeId a, b;
  const Reading& reading;
};

// One point at one precision. `must_be_real`: kNotReal where one of the two is not.
template <unsigned Bits>
Finding compare_at(const Pair& pair, std::size_t point, bool must_be_real, Budget& budget);

// Whether a(p) b(q) equals a(q) b(p); `sign` of a(p) / b(p), 0 where it is not real or not known.
template <unsigned Bits>
Finding compare_ratio(const Pair& pair, std::size_t p, std::size_t q, Budget& budget, int& sign);

// The sign of a value without symbols, or nothing where it isn't known yet.
template <unsigned Bits>
std::optional<int> sign_at(const Tree& tree, NodeId id, const Reading& reading, Budget& budget);

}  // namespace math
