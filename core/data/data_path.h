#pragma once

// Where a data file is.

#include <filesystem>
#include <string>

namespace qed {

// The extensions of data files, each with its dot.
inline constexpr const char* kDataExtensions[] = {".jsonl", ".json", ".csv", ".parquet"};

// The file that a path or key stands for (see Dataset::open). Throws Error that says where it was
// searched and which names are near. [any]
std::filesystem::path find_data_file(const std::string& path_or_key);

}  // namespace qed
