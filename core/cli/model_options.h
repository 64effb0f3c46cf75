#pragma once

// Options of the commands that run a model.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "core/model/dtype.h"

namespace qed {

// --dtype and --threads.
void add_model_options(CLI::App& command, std::string& dtype, std::int64_t& threads);

// Throws Error for what weights in memory cannot be.
Dtype dtype_option(const std::string& name);

// Returns the value of a flag. Throws Error when it is less.
std::int64_t at_least(std::int64_t least, std::int64_t value, const char* flag);

}  // namespace qed
