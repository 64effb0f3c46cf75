#pragma once

#include <string_view>

namespace maths {

// What unsloth's second notebook pays for an answer: check_answer and check_numbers.
struct Bands {
  double reward = 0;
  bool has_solution = false;  // in the notebook's format
  bool is_right = false;      // its number, or its text, is the gold answer's
};
Bands unsloth_bands(std::string_view gold, std::string_view completion);

}  // namespace maths
