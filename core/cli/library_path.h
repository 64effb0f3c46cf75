#pragma once

// Where the program's own libraries lie.

#include <filesystem>

namespace qed {

// ../lib/FILE beside the program.
std::filesystem::path library_path(const char* file);

}  // namespace qed
