#pragma once

// Rows of data as items: {"gold": ["...", ...], "question": "..."}. The verifier also takes
// {"gold": "..."} alone.

#include "qed/task.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maths {

// Which columns a row is read from, and which rows are taken.
struct Columns {
  // Empty: the first that the row has of problem, question, input, prompt; of answer, final_answer,
  // gt_answer, target, solution.
  std::string question, gold;
  std::string unit = "unit";  // stands behind a gold answer without one
  std::string level = "level";
  int min_level = 0, max_level = 0;  // 0: every row
};

struct Contents {
  std::vector<std::string> gold;  // each of them is right
  std::string question;
};

// The item of a row; nothing where its level is not wanted. A gold answer is the cell, what follows
// the last "####" in it, or the last box of a solution; a list of several has several of them.
// Throws qed::Error that names the column.
std::optional<qed::Item> from_row(std::string_view row, const Columns& columns);

// Throws qed::Error for a blob that is no item.
Contents read_item(std::string_view blob);

}  // namespace maths
