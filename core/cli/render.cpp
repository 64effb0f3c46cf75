#include "core/cli/render.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/config/diagnostic.h"
#include "core/config/value.h"
#include "core/util/error_text.h"
#include "core/util/terminal.h"

namespace qed {
namespace {

constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kPlain = "\x1b[0m";

// Colours each "error:" that begins a line.
std::string colored(std::string text) {
  static constexpr std::string_view kWord = "error:";
  for (std::size_t at = text.find(kWord); at != text.npos; at = text.find(kWord, at)) {
    if (at == 0 || text[at - 1] == '\n') {
      text.insert(at + kWord.size(), kPlain);
      text.insert(at, kRed);
      at += kRed.size();
    }
    at += kWord.size();
  }
  return text;
}

std::string default_text(const OptionSpec& option) {
  if (option.default_value.is_null()) return option.is_optional ? "none" : "required";
  return value_text(option.default_value);
}

std::string type_column(const OptionSpec& option) {
  switch (option.type) {
    case OptionType::kBool:
      return "bool";
    case OptionType::kInt:
      return "integer";
    case OptionType::kFloat:
      return "number";
    case OptionType::kString:
      return "string";
    case OptionType::kFloatList:
      break;
  }
  return option.length == 0 ? "numbers" : cat(option.length, " numbers");
}

}  // namespace

int report_failure(const std::exception& failure) {
  std::string text = cat("error: ", failure.what());
  int exit_code = kExitRunFailed;
  if (const auto* error = dynamic_cast<const Error*>(&failure)) {
    exit_code = error->exit_code();
    text = dynamic_cast<const ConfigError*>(error) == nullptr ? error_text(*error) : error->what();
  }
  if (wants_color(STDERR_FILENO)) text = colored(text);
  std::fprintf(stderr, "%s\n", text.c_str());
  return exit_code;
}

void print_notice(const std::string& text) { std::fprintf(stderr, "notice: %s\n", text.c_str()); }

std::string option_table(const std::vector<OptionSpec>& options) {
  std::vector<std::array<std::string, 4>> rows;
  std::array<std::size_t, 4> widths{};
  for (const OptionSpec& option : options) {
    std::string range = range_text(option);
    if (!option.unit.empty()) range += (range.empty() ? "" : " ") + option.unit;
    rows.push_back({option.name, type_column(option), default_text(option), range});
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], rows.back()[i].size());
  }
  std::string text;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::string line = " ";
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] == 0) continue;
      line += " " + rows[row][i] + std::string(widths[i] - rows[row][i].size() + 1, ' ');
    }
    line += " " + options[row].help;
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace qed
