#pragma once

// Exact solver: an equation over all the numbers that has the target's value.

#include "qed/philox.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace countdown {

struct Solution {
  std::string equation;  // "(44 + 19) * 35"
  std::string steps;     // "44 + 19 = 63, 63 * 35 = 2205"
};

// A solution with + - * / over rationals, which of them by `rng`; nothing where there is none, or
// where it was not found among the first 50 million combinations (all of six numbers are 21
// million).
std::optional<Solution> solve(std::span<const std::int64_t> nums, std::int64_t target,
                              qed::Rng& rng);

// One where each number is added or subtracted, as RAGEN asks for: a sign before the first counts.
// At most 24 numbers.
bool is_plus_minus_solvable(std::span<const std::int64_t> nums, std::int64_t target);
std::optional<Solution> solve_plus_minus(std::span<const std::int64_t> nums, std::int64_t target);

// Numbers put together at random, until one is left: an attempt that need not reach anything.
// `value` is its value as text, a fraction where it is one.
struct Attempt {
  std::string steps, value;
};
Attempt attempt(std::span<const std::int64_t> nums, qed::Rng& rng);

}  // namespace countdown
