#include "core/report/text_table.h"

#include <algorithm>

#include "core/report/text_marks.h"

namespace qed {

std::string text_table(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::string> out(lines.size());
  for (std::size_t column = 0; column < lines[0].size(); ++column) {
    const bool is_empty =
        lines.size() > 1 && std::all_of(lines.begin() + 1, lines.end(),
                                        [&](const auto& line) { return line[column] == "-"; });
    if (is_empty) continue;
    std::size_t widest = 0;
    for (const auto& line : lines) widest = std::max(widest, num_characters(line[column]));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string pad(widest - num_characters(lines[i][column]), ' ');
      out[i] += column == 0 ? lines[i][column] + pad : "  " + pad + lines[i][column];
    }
  }
  std::string text;
  for (const std::string& line : out) text += line + "\n";
  return text;
}

}  // namespace qed
