#pragma once

// Files and folders that a path that leads nowhere may have meant.

#include <filesystem>
#include <string>
#include <vector>

namespace qed {

// `path` as the user wrote it, relative to `folder`. Its first part that is not there is replaced
// by the nearest names of that folder; the results are written as `path` was, and end with that
// part. Empty when nothing is near, or when the path exists.
std::vector<std::string> nearest_files(const std::string& path,
                                       const std::filesystem::path& folder = {});

// "the closest file is `a`" or "" for a path that leads nowhere.
std::string closest_file_hint(const std::string& path, const std::filesystem::path& folder = {});

}  // namespace qed
