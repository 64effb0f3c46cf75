#pragma once

#include <string_view>

namespace math {

// demystify-long-cot's score_hendrycks: whether the gold answer is, as a text in the normal form of
// MATH's script, what stands behind the last "=" of the last formula, a box there or in the first
// line with one, or what follows "answer is" or "the answer is:". Linear time.
bool demystify_right(std::string_view gold, std::string_view completion);

}  // namespace math
