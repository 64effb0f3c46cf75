#pragma once

// Run files that extend others: `extends = "other.toml"`. Used by document.cpp only.

#include <string>
#include <vector>

#include "core/config/document.h"

namespace qed {

// Reads `file` as the next source of the document, and what it extends; returns the root table of
// the first, filled up from the others. A path starts at the folder of the file that says it. What
// cannot be read is added to `problems`, and the document is then not complete.
Node read_files(const std::string& file, Document& document, std::vector<Problem>& problems);

// Gives `over` what only `base` has, key by key through all tables. A list is one value. A table
// that names another plugin than its base leaves the base's options behind, and `path` and `config`
// of [model] stand for each other.
void inherit(Node& over, const Node& base);

}  // namespace qed
