#pragma once

// Scored completions as JSON: lines of eval.jsonl and of what `qed eval` and `qed sample` write.
// Text that is not UTF-8 is mended with U+FFFD.

#include "core/run/scored_groups.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace qed {

const char* verdict_name(std::uint32_t verdict);  // "right", "wrong" or "none"
const char* finish_name(std::uint32_t finish);    // "stop", "length" or "abort"

// All completions of one prompt, after the members of `head`. `first` is the index of its first
// completion among all of `groups`.
std::string eval_line(nlohmann::ordered_json head, const ScoredGroups& groups, std::size_t group,
                      std::size_t first, const std::vector<std::string>& terms);

// One completion as a row that supervised training reads: the prompt as messages where the task
// writes messages, and a completion without the token that ended it.
std::string sample_line(const Tokenizer& tokenizer, const Scorer& scorer,
                        const ScoredGroups& groups, std::size_t group, std::size_t sample,
                        std::size_t index);

}  // namespace qed
