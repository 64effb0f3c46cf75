#pragma once

// Python's eval of an arithmetic expression, without names: numbers of every notation, all
// operators with Python's precedence, comparisons, `and`, `or`, `not` and `x if c else y`.
// Everything else that Python knows (strings, lists, tuples, calls, lambda ...) counts as an error,
// which it is in the rules that use this: none of it can be subtracted from a number.
//
// Bounded: at most kMaxLength bytes and kMaxOperators operators (Python's compiler gives up at a
// chain of about that length), kMaxDepth levels of recursion, and the work of python_number.h.

#include "python_number.h"

#include <cstddef>
#include <string_view>

namespace countdown {

inline constexpr std::size_t kMaxLength = 1 << 16;
inline constexpr std::size_t kMaxOperators = 2990;
inline constexpr int kMaxDepth = 1000;
inline constexpr int kMaxParentheses = 200;

struct Outcome {
  Event event = Event::kNone;
  Number value;  // when event is kNone
};

Outcome evaluate(std::string_view text);

}  // namespace countdown
