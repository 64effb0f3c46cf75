#pragma once

// What a plugin's file says about itself, read from its bytes: none of its code has run yet, and no
// byte of it is trusted.

#include "core/host/elf_dynamic.h"
#include "core/host/load_problem.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qed {

struct ElfPlugin {
  std::uint32_t epoch = 0;
  std::uint32_t built_level = 0;
  std::uint32_t need_level = 0;
  std::vector<std::string> exports;  // dynamic symbols that it defines; the first 16
  ElfDynamic dynamic;
};

// Fills `out` from a whole file. Returns why it is not a plugin for x86-64, or nothing when
// it is one. Never throws on any bytes, never reads outside them.
LoadProblem read_elf_plugin(std::span<const std::uint8_t> file, ElfPlugin& out);

}  // namespace qed
