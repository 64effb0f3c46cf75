#pragma once

#include "core/util/error.h"

#include <string>

namespace qed {

// An Error as it is printed.
inline std::string error_text(const Error& error) {
  return cat("error: ", error.what(), error.hint().empty() ? "" : "\n\nhint: ", error.hint());
}

}  // namespace qed
