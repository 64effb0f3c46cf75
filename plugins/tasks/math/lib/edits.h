#pragma once

// Edits of texts that the rules in rules.h and demystify.h are made of.

#include <string>
#include <string_view>
#include <vector>

namespace math {

void replace_all(std::string& text, std::string_view from, std::string_view to);

std::vector<std::string> split(std::string_view text, std::string_view at);

// Every "\word{x}" becomes x, up to the first brace that closes. `command` is "\word{".
void unwrap(std::string& text, std::string_view command);

// The words that Minerva's rule drops, which others took over, in its order: units and the like.
// `feet`: "ft" is one of them.
void drop_words(std::string& text, bool feet);

}  // namespace math
