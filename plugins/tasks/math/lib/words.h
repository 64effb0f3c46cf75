#pragma once

// What commands and words of an answer mean.

#include "lexer.h"

#include <string_view>

namespace math {

struct Meaning {
  std::string_view word;  // without backslash
  Tok type;
  std::string_view text = {};
  Relation relation = Relation::kEqual;
};

// Null for a word that is not known.
const Meaning* command_meaning(std::string_view command);  // \word
const Meaning* word_meaning(std::string_view word);        // a run of letters without backslash
const Meaning* glyph_meaning(std::string_view glyph);      // one character beyond ASCII, in UTF-8

bool is_unit(std::string_view word);
// Commands that are only typography: read over.
bool is_layout(std::string_view command);
// Commands whose argument is prose, and those whose argument is set in another font.
bool is_prose(std::string_view command);
bool is_font(std::string_view command);

}  // namespace math
