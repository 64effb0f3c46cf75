#pragma once

// The plugins of the search folders.

#include "core/host/plugin_host.h"

#include <filesystem>
#include <vector>

namespace qed {

// The .so files of one folder, sorted by name; none where it cannot be read.
std::vector<std::filesystem::path> plugin_files(const std::filesystem::path& folder);

// What all plugins of the folders and of their kinds' folders hold, in the order of search. A file
// that several paths lead to is there once, under the first. Files that are refused without running
// their code need no child.
std::vector<ScannedFile> scan_folders(const std::vector<std::filesystem::path>& folders,
                                      const ScanSettings& settings, const qed_host* host);

}  // namespace qed
