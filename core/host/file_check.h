#pragma once

// All that can be known of a plugin's file without running its code: the checks P001 to P026 of
// docs/plugins.md, in their order.

#include "core/host/elf_note.h"

#include <filesystem>

namespace qed {

// Throws Error with exit code 3, as refuse() does.
ElfPlugin check_file(const std::filesystem::path& path);

// The checks of what the file says of itself; for tests.
LoadProblem check_elf_plugin(const ElfPlugin& file);

}  // namespace qed
