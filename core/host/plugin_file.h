#pragma once

// One plugin's file: checked, mapped into the process, its entry called, its descriptor checked.

#include "qed/abi.h"

#include <filesystem>
#include <string>

namespace qed {

// Loads a plugin; all checks of docs/plugins.md in their order. It stays mapped until the process
// ends. Throws Error with exit code 3, as refuse() does. A file that was refused for what it did
// while it was loaded is refused again, without being loaded. [main]
const qed_plugin* load_plugin_file(const std::filesystem::path& path, const qed_host* host);

// A word for the file itself, whatever path led to it: device and inode.
std::string file_id(const std::filesystem::path& path);

}  // namespace qed
