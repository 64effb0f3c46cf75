#pragma once

// The final numbers of runs, side by side, as plain text.

#include <span>
#include <string>
#include <vector>

#include "core/report/run_data.h"

namespace qed {

struct Figure {
  std::string name;  // short: head of a column
  std::string text;  // "-" where the run has no such number
  std::string help;  // what it is, one line
};

// The same names in the same order for every run.
std::vector<Figure> final_figures(const RunData& run);

// A line per run below a line of heads; columns that no run fills are left out. Ends with a
// newline.
std::string run_table(std::span<const RunData> runs);

}  // namespace qed
