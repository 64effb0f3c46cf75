#pragma once

// Commands as text that a user can type again.

#include <string>

namespace qed {

// An argument as a shell would take it again: quoted where it needs it.
std::string quoted(const std::string& argument);

// How the user calls the program: the launcher says so when it was used.
std::string program_name();

}  // namespace qed
