#pragma once

// A component's table of functions, checked before any of them is called.

#include "core/host/load_problem.h"

#include <string_view>

namespace qed {

// `kind` is "task", "reward", "algorithm" or "sampler". `entry` is an address in the plugin's code.
// Refuses a table that is too short (P044), that lacks a mandatory function or has some functions
// of a multi-turn task and not all (P044), or that points outside of the plugin (P045).
LoadProblem check_vtable(std::string_view kind, const void* vtable, const void* entry);

}  // namespace qed
