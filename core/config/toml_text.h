#pragma once

// TOML text as a tree of Nodes: the one place that knows the parser.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/document.h"

namespace qed {

// A whole file, which is source number `index`. Nothing, after adding to `problems`, when it is not
// TOML.
std::optional<Node> parse_toml(std::string_view text, int index, const SourceText& source,
                               std::vector<Problem>& problems);

// The value of a --set, which stands at `column` (from 1) of source `index`. What is no TOML value
// is a string; but an unfinished string or list is a slip: false, and `reason` says why.
bool parse_set_value(const std::string& text, int index, int column, Node& node,
                     std::string& reason);

// From the first to the last character of the line that is not blank.
Span whole_line(int source, int line, const std::string& text);

}  // namespace qed
