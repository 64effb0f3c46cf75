#pragma once

// `qed plugin new KIND NAME`: writes the folder of a new plugin, made from sdk/template/KIND, which
// is part of the program.

#include "core/cli/commands.h"

#include <filesystem>
#include <string>
#include <vector>

namespace qed {

// Adds `new` to the command group `qed plugin`.
Run add_plugin_new(CLI::App& group);

// Writes the folder parent/NAME and returns its files, sorted, relative to it. The generated
// CMakeLists.txt searches the SDK in `prefix` first. Throws Error with exit code 2 when the kind or
// the name will not do or something of that name exists already, with exit code 1 when the folder
// cannot be written.
std::vector<std::string> write_new_plugin(const std::string& kind, const std::string& name,
                                          const std::filesystem::path& parent,
                                          const std::filesystem::path& prefix);

}  // namespace qed
