#include "core/cli/library_path.h"

#include <boost/dll/runtime_symbol_info.hpp>

namespace qed {

std::filesystem::path library_path(const char* file) {
  const std::filesystem::path program = boost::dll::program_location();
  return (program.parent_path() / ".." / "lib" / file).lexically_normal();
}

}  // namespace qed
