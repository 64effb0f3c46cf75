#pragma once

// One countdown puzzle: numbers, and the target that an equation over all of them must reach. Its
// blob is {"target":98,"nums":[44,19,35]}, the row of TinyZero's data file; `numbers` is taken for
// `nums`.

#include "python_number.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace countdown {

struct Puzzle {
  std::vector<std::int64_t> nums;  // sorted, when all of them fit; else `wide` has them
  std::vector<Number> wide;
  Number target;
  bool target_is_text = false;  // some copies of the data quote it
};

// Throws qed::Error that names the field.
Puzzle parse_puzzle(std::string_view json);

// The numbers as they stand in the row, for a prompt: "[44, 19, 35]", and the target.
struct Wording {
  std::string numbers, target;
};
Wording wording(std::string_view json);

// A puzzle as this task makes it, and solves it: 1 to 64 numbers, none negative, in their order.
struct Plain {
  std::vector<std::int64_t> nums;
  std::int64_t target = 0;
};
Plain parse_plain(std::string_view json);  // throws qed::Error that names the field
std::string write(const Plain& puzzle);    // the blob
// Sorted numbers and target, "19,35,44=98": puzzles that differ in the order only share it.
std::string key_of(const Plain& puzzle);

// How the digit runs of an equation compare with the puzzle's numbers.
struct Usage {
  bool is_exact = false;  // each number exactly once, nothing else
  double overlap = 0;     // different numbers shared, over how many the puzzle has
};
// Digits are those of Python's \d, values those of int(). `overlap` is computed when asked for.
Usage usage(std::string_view equation, const Puzzle& puzzle, bool with_overlap = false);

}  // namespace countdown
