#pragma once

// What a shared library asks of the dynamic linker, read from its bytes: none of its code runs, and
// no byte of it is trusted.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace qed {

// A version of symbols that a library wants from another: {"libc.so.6", "GLIBC_2.34"}.
struct NeededVersion {
  std::string library, version;
};

struct ElfDynamic {
  std::vector<std::string> needed;     // DT_NEEDED
  std::vector<std::string> run_paths;  // entries of DT_RPATH and DT_RUNPATH, in order
  std::vector<NeededVersion> needs;    // of .gnu.version_r
  bool wants_executable_stack = false;
  bool has_text_relocations = false;
  bool has_static_tls = false;
};

// Reads program headers and dynamic section of a whole ELF64 file. Nothing where one of its tables
// lies outside the file. Never throws on any bytes, never reads outside them.
std::optional<ElfDynamic> read_elf_dynamic(std::span<const std::uint8_t> file);

}  // namespace qed
