#pragma once

// Draws puzzles.

#include "puzzle.h"

#include "qed/philox.h"

#include <cstdint>
#include <vector>

namespace countdown {

enum class Kind { kUnchecked, kSolvable, kPlusMinus };
enum class Difficulty { kAny, kEasy, kHard };  // easy: + and - are enough

struct Shape {
  Kind kind = Kind::kSolvable;
  Difficulty difficulty = Difficulty::kAny;
  std::int64_t min_numbers = 3;
  std::vector<double> weights;  // of min_numbers, min_numbers + 1, ... numbers; not empty, sum > 0
  std::int64_t min_number = 1, max_number = 99;
  std::int64_t min_target = 10, max_target = 100;
  bool below_target = false;  // every number is below the target
};

// One puzzle of the shape. kUnchecked: numbers and target evenly, each by itself. Otherwise the
// numbers are put together at random, in whole steps, and what comes out is the target. Draws again
// what does not fit; after a million draws it throws qed::Error that says so.
Plain draw(const Shape& shape, qed::Rng& rng);

}  // namespace countdown
