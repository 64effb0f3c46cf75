#pragma once

// Numbers and formulas in prose.

#include "extract.h"

#include <optional>
#include <string>
#include <string_view>

namespace math {

// The first and the last number or fraction of a text that is no part of a word: "-1,000.99",
// "2/3", "\frac{2}{5}".
std::optional<Candidate> first_number(std::string_view text);
std::optional<Candidate> last_number(std::string_view text);

// A text that may be one formula as a whole: no more words of prose outside \text{...} than these.
bool is_formula_like(std::string_view text, std::size_t max_words);
// Digits, points, commas and a sign.
bool is_number_like(std::string_view text);
// Without the marks of formulas: $, \(, \[.
std::string without_marks(std::string_view text);
std::string lower_case(std::string_view text);  // ASCII

}  // namespace math
