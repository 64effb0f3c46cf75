#pragma once

// qed's own reading of an equation: + - * / and parentheses over the puzzle's numbers, in exact
// rational arithmetic. No unary sign, no decimal point, no leading zero, no sign of equality, no
// number written by putting two side by side.

#include "puzzle.h"

#include <string_view>

namespace countdown {

enum class StrictResult { kRight, kWrongValue, kOtherNumbers, kNoEquation };

std::string_view describe(StrictResult result);  // a literal

// Throws qed::Error when the puzzle has a number that is no integer of 64 bits.
StrictResult check_equation(std::string_view equation, const Puzzle& puzzle);

}  // namespace countdown
