#pragma once

// The host's copy of an option that a plugin declares, checked: what reaches the config is sound.

#include "core/config/option.h"
#include "qed/abi.h"

#include <string>
#include <vector>

namespace qed {

// Fills `out` with the declared options in order. Returns what is wrong, as the end of a sentence
// ("option `eps`: its default -1 is below its minimum 0"), or nothing.
std::string read_options(const qed_component& component, std::vector<OptionSpec>& out);

}  // namespace qed
