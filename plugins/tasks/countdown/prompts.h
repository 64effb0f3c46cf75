#pragma once

// The published prompts.

#include "puzzle.h"

#include "qed/task.h"

#include <string_view>

namespace countdown {

inline constexpr std::string_view kTemplates[] = {"base",     "base-2",  "chat",
                                                  "instruct", "mini-r1", "chinese"};

qed::Prompt prompt(std::string_view name, const Wording& wording);  // name: one of kTemplates

// Whether the prompt itself says where the answer begins: TinyZero's rules look for it.
bool has_header(std::string_view name);

}  // namespace countdown
