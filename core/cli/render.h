#pragma once

// How errors and tables of options are printed. The one place that decides it.

#include <exception>
#include <string>
#include <vector>

#include "core/config/option.h"
#include "core/util/error.h"

namespace qed {

// Prints the exception on stderr, `error:` in red where colour is wanted, and returns the exit
// code.
int report_failure(const std::exception& failure);

// "notice: …" on stderr.
void print_notice(const std::string& text);

// One line per option, in columns: name, type, default, range, help. Ends with a newline.
std::string option_table(const std::vector<OptionSpec>& options);

}  // namespace qed
