#pragma once

// Files of lines that grow while they are read. [any]

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/util/error.h"

namespace qed {

// Calls use(line, number) with each finished line. A last line without its end (a process that
// writes, or was killed) is left out: true where there is one. No file, no lines.
template <class Use>
bool for_each_line(const std::filesystem::path& path, const Use& use) {
  std::ifstream in(path, std::ios::binary);
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (in.eof()) return true;
    use(line, number);
  }
  return false;
}

[[noreturn]] inline void bad_line(const std::filesystem::path& path, std::size_t number,
                                  std::string_view what) {
  throw Error(cat(path.string(), ", line ", number, ", is no row of ", what),
              "mend or delete the line, or resume the run from its checkpoint");
}

}  // namespace qed
