#pragma once

// Files of the source tree that are part of the program; made by cmake/Embed.cmake.

#include <string_view>
#include <vector>

namespace qed {

struct EmbeddedFile {
  std::string_view path;  // relative to the embedded folder
  std::string_view text;
};

}  // namespace qed
