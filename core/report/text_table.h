#pragma once

// Tables as plain text. [any]

#include <string>
#include <vector>

namespace qed {

// Lines of cells, the first of them heads: the first column to the left, the others to the right,
// two spaces between. A column whose cells below the head are all "-" is left out. All lines have
// as many cells. Every line ends with a newline.
std::string text_table(const std::vector<std::vector<std::string>>& lines);

}  // namespace qed
