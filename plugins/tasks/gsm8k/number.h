#pragma once

// Numbers in an answer, as exact fractions.

#include <cstdint>
#include <optional>
#include <string_view>

namespace gsm8k {

// numerator / denominator, each of at most 18 digits.
struct Number {
  bool is_negative = false;
  std::uint64_t numerator = 0, denominator = 1;

  bool operator==(const Number& other) const;
};

// The one number that a text holds: "18", "$1,234.50", "50%", "-3/4 of it"; also when it stands
// there more than once. Nothing when there is none, when two differ, or when a part is unclear:
// commas that are no thousands separators, "1e5", "1/0", "2.5.1", more than 18 digits.
std::optional<Number> only_number(std::string_view text);

}  // namespace gsm8k
