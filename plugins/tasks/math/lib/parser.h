#pragma once

// An answer as a tree.

#include "lexer.h"
#include "tree.h"

#include <optional>
#include <string_view>

namespace math {

// Reads all of `text` into `tree`. Nothing where it is no expression that is known here, where it
// nests deeper than 100 brackets, or has more than kMaxTokens tokens. Linear time.
//
// "(a,b)" is a tuple, "[a,b)" an interval, "{a,b}" a set, "a, b and c" a list; "1,234" is one
// number where it stands in no brackets. "2\frac12" is a mixed number. "1/2x" is 1/(2x), "1/2 x" is
// x/2.
std::optional<NodeId> parse(std::string_view text, const LexOptions& options, Tree& tree);

}  // namespace math
