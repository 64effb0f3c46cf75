#pragma once

// --dtype of the commands that run a model.

#include <CLI/CLI.hpp>
#include <string>

#include "core/model/dtype.h"

namespace qed {

void add_dtype_option(CLI::App& command, std::string& name);

// Throws Error for what weights in memory cannot be.
Dtype dtype_option(const std::string& name);

}  // namespace qed
