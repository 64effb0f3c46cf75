#pragma once

// Items: one JSON object {"prompt", "language", "function", "time_s", "memory_mb", "files",
// "tests", "checker", "solution"}; only "tests" must be there.

#include "qed/task.h"

#include <string>
#include <string_view>
#include <vector>

namespace code {

struct Test {
  std::string input, output;  // texts; with a function, JSON
};

struct Contents {
  std::string prompt;
  std::string language;  // "python", "cpp"; empty: the task's
  std::string function;  // empty: programs read stdin and write stdout
  double time_s = 0;     // 0: the task's
  double memory_mb = 0;
  std::vector<Test> files;  // name and contents of what lies beside the program
  std::vector<Test> tests;
  std::string checker;  // a Python program that compares outputs; empty: they are compared here
  std::string solution;
};

// A row of the data as an item: the columns of the published sets (README.md). Throws qed::Error
// that names the field.
qed::Item from_row(std::string_view row);

// Throws qed::Error for a blob that is no item.
Contents read_item(std::string_view blob);

}  // namespace code
