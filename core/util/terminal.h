#pragma once

// What the terminal behind a file descriptor can do.

#include <string>
#include <string_view>

namespace qed {

// True for a terminal that can redraw a line: not a pipe, not TERM=dumb.
bool is_terminal(int fd);

// is_terminal, unless the environment has a NO_COLOR that is not empty.
bool wants_color(int fd);

// Columns; 80 where they are unknown.
int terminal_width(int fd);

// The first `columns` characters of UTF-8 text. A character counts as one column.
std::string cut_to_width(std::string_view text, int columns);

}  // namespace qed
