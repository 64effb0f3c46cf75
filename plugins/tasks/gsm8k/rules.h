#pragma once

// What a completion answers, by each of the rules. All take linear time and fail on no bytes.

#include "number.h"

#include <optional>
#include <string>
#include <string_view>

namespace gsm8k {

// verl and TinyZero: the text that is compared with the gold answer, or nothing. verl reads the
// last 300 characters.
std::string_view last_300(std::string_view text);
enum class Which { kFirst, kLast };
std::optional<std::string> after_hashes(std::string_view text, Which which);  // "#### 1,234"
std::optional<std::string> last_number(std::string_view text);

// grpo_demo: what stands behind the last <answer>, up to the next </answer>.
std::string_view in_answer_tag(std::string_view text);

// qed's own: the part that holds the answer. It is, behind the last </think>, what stands in the
// one <answer> block, else behind the one `####`, else in the last line. Nothing when there are
// two.
std::optional<std::string_view> answer_part(std::string_view text);

// The gold answer of a solution of the data, "... #### 1,234": "1234"; nothing without ####.
std::optional<std::string> gold_answer(std::string_view solution);

}  // namespace gsm8k
