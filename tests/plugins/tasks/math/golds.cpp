#include "tests/plugins/tasks/math/golds.h"

#include "extract.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace qed::math_golds {
namespace {

using Json = nlohmann::json;

std::filesystem::path folder() {
  const char* path = std::getenv("QED_SHARED_DATA");
  return std::filesystem::path(path != nullptr ? path : QED_SOURCE_DIR "/../shared/data") / "math";
}

std::vector<Json> rows_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (path.extension() == ".json") return Json::parse(in).get<std::vector<Json>>();
  std::vector<Json> rows;
  for (std::string line; std::getline(in, line);) rows.push_back(Json::parse(line));
  return rows;
}

std::string last_box(const std::string& text) {
  const auto boxes = math::find_boxes(text);
  return boxes.empty() ? text : std::string(boxes.back().content);
}

std::vector<std::string> golds_of(const Json& row) {
  if (row.contains("final_answer")) return row["final_answer"].get<std::vector<std::string>>();
  if (row.contains("answer")) {
    if (!row["answer"].is_string()) return {};
    const std::string answer = row["answer"];
    const auto hashes = answer.rfind("#### ");
    return {hashes == std::string::npos ? answer : answer.substr(hashes + 5)};
  }
  return {last_box(row.value("solution", ""))};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool has(const std::string& text, const char* part) { return text.find(part) != text.npos; }

// The places where a sign may be turned: not after an exponent's brace or in words.
void signs(const std::string& gold, std::vector<NearMiss>& out) {
  if (has(gold, "\\pm") || has(gold, "\\text") || has(gold, "|")) return;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    if (gold[i] != '+' && gold[i] != '-') continue;
    std::string answer = gold;
    answer[i] = gold[i] == '+' ? '-' : '+';
    out.push_back({gold, answer, "sign"});
  }
}

void digits(const std::string& gold, std::vector<NearMiss>& out) {
  for (std::size_t i = 0; i < gold.size(); ++i) {
    if (!is_digit(gold[i])) continue;
    for (const int step : {1, 9}) {
      std::string answer = gold;
      answer[i] = static_cast<char>('0' + (gold[i] - '0' + step) % 10);
      out.push_back({gold, answer, has(gold, "_") ? "base" : "digit"});
    }
  }
}

// Of intervals and tuples: the kind of a bracket, and the order of two parts.
void brackets(const std::string& gold, std::vector<NearMiss>& out) {
  const bool is_pair =
      (gold.front() == '(' || gold.front() == '[') && (gold.back() == ')' || gold.back() == ']') &&
      std::count(gold.begin(), gold.end(), ',') == 1 && !has(gold, "\\cup") && !has(gold, ",\\!");
  if (!is_pair) return;
  std::string answer = gold;
  answer.front() = gold.front() == '(' ? '[' : '(';
  out.push_back({gold, answer, "bracket"});
  answer = gold;
  answer.back() = gold.back() == ')' ? ']' : ')';
  out.push_back({gold, answer, "bracket"});
  const auto comma = gold.find(',');
  const std::string first = gold.substr(1, comma - 1);
  const std::string second = gold.substr(comma + 1, gold.size() - comma - 2);
  const auto value = [](std::string text) {
    std::erase(text, ' ');
    return text;
  };
  if (value(first) == value(second)) return;
  out.push_back({gold, gold.front() + second + "," + first + gold.back(), "order"});
}

void units(const std::string& gold, std::vector<NearMiss>& out) {
  constexpr std::pair<const char*, const char*> kOthers[] = {
      {"cm", "km"},         {"feet", "inches"},   {"hours", "minutes"}, {"minutes", "hours"},
      {"dollars", "cents"}, {"cents", "dollars"}, {"square", "cubic"},  {"miles", "feet"}};
  for (const auto& [unit, other] : kOthers) {
    const auto at = gold.find(unit);
    if (at == std::string::npos) continue;
    std::string answer = gold;
    out.push_back({gold, answer.replace(at, std::string(unit).size(), other), "unit"});
  }
  if (const auto at = gold.find("\\%"); at != std::string::npos && at + 2 == gold.size()) {
    out.push_back({gold, gold.substr(0, at), "unit"});
  }
}

void plus_or_minus(const std::string& gold, std::vector<NearMiss>& out) {
  const auto at = gold.find("\\pm");
  if (at == std::string::npos) return;
  std::string answer = gold;
  out.push_back({gold, answer.replace(at, 3, "+"), "plus or minus"});
}

}  // namespace

std::vector<std::string> all() {
  std::set<std::string> out;
  if (!std::filesystem::is_directory(folder())) return {};
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    for (const Json& row : rows_of(entry.path())) {
      for (const std::string& gold : golds_of(row)) out.insert(gold);
    }
  }
  out.erase("");
  return {out.begin(), out.end()};
}

std::string rewritten(const std::string& gold) {
  std::string out = " ";
  for (const char c : gold) {
    if (c == '=' || c == '+') out += ' ';
    out += c;
  }
  for (auto at = out.find("\\frac{"); at != out.npos; at = out.find("\\frac{", at + 7)) {
    out.insert(at + 1, "d");
  }
  return out;
}

std::vector<NearMiss> near_misses(const std::string& gold) {
  std::vector<NearMiss> out;
  signs(gold, out);
  digits(gold, out);
  brackets(gold, out);
  units(gold, out);
  plus_or_minus(gold, out);
  return out;
}

}  // namespace qed::math_golds
