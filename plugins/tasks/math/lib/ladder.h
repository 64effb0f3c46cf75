#pragma once

// Where answers stand in prose.

#include "extract.h"

#include <string_view>
#include <vector>

namespace math {

std::string_view trimmed(std::string_view text);

// The last box, with those before it that belong to the same answer; none where the last is empty.
std::vector<Candidate> boxed(std::string_view text, const Policy& policy);

// Math-Verify's order: boxes and "... I hope it is correct", "final answer is", "answer is", the
// text as a whole, the last formula or number.
std::vector<Candidate> ladder(std::string_view text, const Policy& policy);

}  // namespace math
