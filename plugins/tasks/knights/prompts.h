#pragma once

// The published prompts.

#include <string>
#include <string_view>

namespace knights {

// Raw text; what Logic-RL puts after it, `<think>`, is the prefill.
std::string base_prompt(std::string_view quiz);
std::string instruct_prompt(std::string_view quiz);
std::string mem_kk_prompt(std::string_view quiz);
// The messages that Qwen's chat template turns into instruct_prompt.
std::string chat_messages(std::string_view quiz);

}  // namespace knights
