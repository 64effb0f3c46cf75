#include "core/config/diagnostic.h"

#include <algorithm>
#include <set>

namespace qed {
namespace {

std::string render_all(std::vector<Problem>& problems, const std::vector<SourceText>& sources) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.span < b.span; });
  std::string text;
  std::set<std::string> seen;  // a table shared by two stages is checked twice
  for (const Problem& problem : problems) {
    const std::string block = render(problem, sources);
    if (!seen.insert(block).second) continue;
    if (!text.empty()) text += "\n\n";
    text += block;
  }
  return text;
}

int exit_code_of(const std::vector<Problem>& problems) {
  const bool all_plugin = std::all_of(problems.begin(), problems.end(),
                                      [](const Problem& p) { return p.exit_code == kExitPlugin; });
  return all_plugin ? kExitPlugin : kExitUsage;
}

}  // namespace

std::string place_of(const Span& span, const std::vector<SourceText>& sources) {
  const SourceText& source = sources.at(span.source);
  return source.is_file && span.line > 0 ? cat(source.name, ":", span.line) : source.name;
}

std::string render(const Problem& problem, const std::vector<SourceText>& sources) {
  const SourceText& source = sources.at(problem.span.source);
  const Span& span = problem.span;
  // What follows the first line (a plugin's refusal has details) goes below the carets.
  const std::size_t first_end = std::min(problem.message.find('\n'), problem.message.size());
  std::string text = "error: " + problem.message.substr(0, first_end);

  const std::string number = source.is_file ? std::to_string(span.line) : " ";
  const std::string gutter(span.line > 0 ? number.size() : 1, ' ');
  // A message about the file as a whole may name it already.
  const bool is_named = span.line == 0 && text.find(source.name) != text.npos;
  if (!is_named) text += "\n" + gutter + "--> " + source.name;
  if (span.line > 0) {
    if (source.is_file) text += cat(":", span.line, ":", span.column);
    std::string line;
    if (span.line <= static_cast<int>(source.lines.size())) line = source.lines[span.line - 1];
    std::replace(line.begin(), line.end(), '\t', ' ');
    const std::string carets(std::max(1, span.end_column - span.column), '^');
    const std::string indent(std::max(0, span.column - 1), ' ');
    text +=
        "\n" + gutter + " |\n" + number + " | " + line + "\n" + gutter + " | " + indent + carets;
    if (!problem.label.empty()) text += " " + problem.label;
  }
  text += problem.message.substr(first_end);
  if (!problem.hint.empty()) text += "\n\nhint: " + problem.hint;
  return text;
}

ConfigError::ConfigError(std::vector<Problem> problems, const std::vector<SourceText>& sources)
    : Error(render_all(problems, sources), "", exit_code_of(problems)) {}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace qed
