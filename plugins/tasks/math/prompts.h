#pragma once

// The published prompts, each named after its system.

#include "qed/task.h"

#include <span>
#include <string>
#include <string_view>

namespace maths {

// Throws qed::Error for a name that is none of template_names.
qed::Prompt prompt(std::string_view name, std::string_view question);

}  // namespace maths
