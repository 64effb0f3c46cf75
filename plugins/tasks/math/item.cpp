#include "item.h"

#include "qed/json.h"
#include "qed/unicode.h"

#include "lib/extract.h"

#include <array>
#include <charconv>
#include <map>

namespace maths {

namespace {

using qed::json::Reader;

// Cells as text, by column; lists one by one. A cell that is null or empty is none.
using Cells = std::map<std::string, std::vector<std::string>, std::less<>>;

std::string scalar(Reader& in) { return in.peek() == '"' ? in.string() : std::string(in.skip()); }

Cells read_cells(std::string_view row) {
  Cells cells;
  Reader in(row);
  in.object([&](std::string_view name) {
    const std::string column(name);
    if (in.null()) return;
    std::vector<std::string> values;
    if (in.peek() == '[') {
      in.array([&] { values.push_back(scalar(in)); });
    } else {
      values.push_back(scalar(in));
    }
    if (!values.empty() && !values.front().empty()) cells[column] = std::move(values);
  });
  in.finish();
  return cells;
}

const std::vector<std::string>& cell(const Cells& cells, const std::string& named,
                                     std::span<const std::string_view> usual, const char* what) {
  if (!named.empty()) {
    const auto at = cells.find(named);
    if (at == cells.end()) throw qed::Error("field `" + named + "`: missing or empty");
    return at->second;
  }
  for (const std::string_view name : usual) {
    const auto at = cells.find(name);
    if (at != cells.end()) return at->second;
  }
  std::string names;
  for (const auto& [name, values] : cells) names += (names.empty() ? "" : ", ") + name;
  throw qed::Error(std::string("no column with the ") + what + "; the row has " + names +
                   "; name it by the option `" + what + "`");
}

// "18" of "... #### 18", and what stands in the last box of a solution.
std::string final_part(const std::string& text) {
  constexpr std::string_view kHashes = "####";
  if (const auto at = text.rfind(kHashes); at != std::string::npos) {
    return std::string(qed::strip(std::string_view(text).substr(at + kHashes.size())));
  }
  const auto boxes = math::find_boxes(text);
  return boxes.empty() ? text : std::string(qed::strip(boxes.back().content));
}

// "3", "Level 3", 3.
bool is_wanted(const Cells& cells, const Columns& columns) {
  if (columns.min_level == 0) return true;
  const auto at = cells.find(columns.level);
  if (at == cells.end()) throw qed::Error("field `" + columns.level + "`: missing");
  const std::string& text = at->second.front();
  const auto digit = text.find_first_of("0123456789");
  int level = 0;
  if (digit != std::string::npos) {
    std::from_chars(text.data() + digit, text.data() + text.size(), level);
  }
  return level >= columns.min_level && level <= columns.max_level;
}

std::string hex(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(value >> shift) & 15];
  return out;
}

}  // namespace

std::optional<qed::Item> from_row(std::string_view row, const Columns& columns) {
  static constexpr std::array<std::string_view, 4> kQuestions = {"problem", "question", "input",
                                                                 "prompt"};
  static constexpr std::array<std::string_view, 5> kGolds = {"answer", "final_answer", "gt_answer",
                                                             "target", "solution"};
  const Cells cells = read_cells(row);
  if (!is_wanted(cells, columns)) return std::nullopt;
  const std::string& question = cell(cells, columns.question, kQuestions, "question").front();
  const auto unit = cells.find(columns.unit);
  std::string golds;
  for (const std::string& text : cell(cells, columns.gold, kGolds, "gold")) {
    std::string gold = final_part(text);
    if (gold.empty()) throw qed::Error("the gold answer is empty");
    if (unit != cells.end() && unit->second.front() == "%" && !gold.ends_with('%')) gold += "\\%";
    golds += (golds.empty() ? "" : ",") + qed::json::write(gold);
  }
  return qed::Item{hex(qed::KeyHash().add(question).value()),
                   "{\"gold\":[" + golds + "],\"question\":" + qed::json::write(question) + "}"};
}

Contents read_item(std::string_view blob) {
  Contents out;
  Reader in(blob);
  in.object([&](std::string_view name) {
    if (name == "gold" && in.peek() == '[') {
      in.array([&] { out.gold.push_back(in.string()); });
    } else if (name == "gold") {
      out.gold.push_back(in.string());
    } else if (name == "question") {
      out.question = in.string();
    } else {
      in.skip();
    }
  });
  in.finish();
  if (out.gold.empty()) throw qed::Error("this is no item of the task: `gold` is missing");
  return out;
}

}  // namespace maths
