#pragma once

// Published rules that compare texts, not mathematics.

#include "policy.h"

#include <optional>
#include <string>
#include <string_view>

namespace math {

bool same_by_rule(Rule rule, std::string_view gold, std::string_view answer);

// MATH's own script (is_equiv): the normal form of an answer. Nothing where the script fails, which
// then compares the answers as they are written. demystify-long-cot's copy also drops the commas of
// 12,000 and the parentheses of (7), and fails for a quotient of other than whole numbers.
enum class Script : std::uint8_t { kMath, kDemystify };
std::optional<std::string> hendrycks_form(std::string_view answer, Script script = Script::kMath);
// All of the last \boxed of a text, or of the last \fbox where there is none, up to the brace that
// closes it; nothing where none does.
std::optional<std::string_view> last_box(std::string_view text);
// What stands in the last \boxed of a text by the same script; nothing where there is none.
std::optional<std::string> hendrycks_boxed(std::string_view text);

// DAPO's normalize_final_answer.
std::string dapo_form(std::string_view answer);

}  // namespace math
