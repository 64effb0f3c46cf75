#pragma once

// What the libraries of this process offer to a plugin.

#include <string>

namespace qed {

// The library of this name (DT_SONAME) is in the process.
bool is_loaded(const std::string& library);

struct ProvidedVersion {
  bool is_there;       // also when the library is not in the process: the dynamic linker will say
  std::string newest;  // of the same family ("GLIBCXX_"); empty when it is there
};

// Whether a loaded library defines a version of its symbols, for example GLIBC_2.34.
ProvidedVersion provided_version(const std::string& library, const std::string& version);

}  // namespace qed
