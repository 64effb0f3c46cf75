#pragma once

// How code is found in a completion, and how outputs are compared. Pure functions, linear time.

#include <optional>
#include <string>
#include <string_view>

namespace code {

// open-r1: what the last match of ```LANGUAGE\n(.*?)``` holds, the blocks cut from front to back.
std::optional<std::string_view> open_r1_block(std::string_view text, std::string_view language);

// qed's own: the last whole block behind the last </think>, fenced by lines that begin with ```,
// whose word is one of the language's names, or none.
std::optional<std::string_view> last_block(std::string_view text, std::string_view language);

// open-r1: lines of the stripped output and of the expected one, stripped, in pairs; surplus lines
// on either side count for nothing.
bool open_r1_equal(std::string_view output, std::string_view expected);

// The same lines, but for blanks at their ends and empty lines at the end of the text.
bool same_lines(std::string_view output, std::string_view expected);

// The same JSON value: numbers as numbers, within 1e-9 of the larger one; members in any order. A
// text in place of a value stands for the value that it holds, and a list of one for what it holds,
// where the data write it so. What is no JSON equals nothing.
bool same_json(std::string_view output, std::string_view expected);

// open-r1: what programs for IOI tasks and Codeforces may leave out.
std::string with_includes(std::string_view code, std::string_view header);

}  // namespace code
