#include "core/config/toml_text.h"

#include <toml++/toml.h>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace qed {
namespace {

// Where parsed text stands in a source: the text of a --set value was moved to be parsed.
struct Origin {
  int source = 0;
  int column_shift = 0;
};

Span span_of(const toml::source_region& region, const Origin& origin) {
  Span span{origin.source, static_cast<int>(region.begin.line),
            static_cast<int>(region.begin.column) + origin.column_shift,
            static_cast<int>(region.end.column) + origin.column_shift};
  // A value over several lines is marked by its first character.
  if (region.end.line != region.begin.line) span.end_column = span.column + 1;
  return span;
}

Node convert(const toml::node& from, const Origin& origin) {
  Node node;
  node.span = span_of(from.source(), origin);
  if (const auto* table = from.as_table()) {
    node.type = NodeType::kTable;
    for (const auto& [key, value] : *table) {
      Node child = convert(value, origin);
      child.key = key.str();
      child.key_span = span_of(key.source(), origin);
      node.children.push_back(std::move(child));
    }
    std::sort(node.children.begin(), node.children.end(),
              [](const Node& a, const Node& b) { return a.key_span < b.key_span; });
  } else if (const auto* array = from.as_array()) {
    node.type = NodeType::kArray;
    for (const auto& element : *array) node.children.push_back(convert(element, origin));
  } else if (const auto* text = from.as_string()) {
    node.type = NodeType::kString;
    node.value = text->get();
  } else if (const auto* integer = from.as_integer()) {
    node.type = NodeType::kInt;
    node.value = integer->get();
  } else if (const auto* number = from.as_floating_point()) {
    node.type = NodeType::kFloat;
    node.value = number->get();
  } else if (const auto* boolean = from.as_boolean()) {
    node.type = NodeType::kBool;
    node.value = boolean->get();
  } else {
    node.type = NodeType::kOther;
  }
  return node;
}

// What to do about a slip in this part of a file; the parser names the part.
std::string syntax_hint(const std::string& part) {
  static const std::map<std::string, std::string> kHints = {
      {"value", "a string is in quotes, a number is not: name = \"grpo\", lr = 1e-6"},
      {"table header", "a table begins with its name in brackets on a line of its own: [train]"},
      {"key-value pair", "a line is `key = value`; a string is in quotes, a number is not"},
      {"key", "a line is `key = value`; a string is in quotes, a number is not"},
      {"inline table", "an inline table is on one line: { key = value, other = value }"},
      {"array", "a list is in brackets, with commas: [0.9, 0.99]"},
      {"string", "a string begins and ends with a quote on one line: \"text\""},
  };
  const auto found = kHints.find(part);
  return found == kHints.end() ? kHints.at("key") : found->second;
}

Problem syntax_problem(const toml::parse_error& error, int index, const SourceText& source) {
  std::string reason(error.description());
  const auto at = error.source().begin;
  Span span{index, static_cast<int>(at.line), static_cast<int>(at.column),
            static_cast<int>(at.column) + 1};
  const bool is_repeated = reason.find("cannot redefine existing") != std::string::npos;
  if (is_repeated && at.line <= source.lines.size()) {
    const std::string& line = source.lines[at.line - 1];
    span = whole_line(index, span.line, line);
    const std::size_t quote = reason.find('\'');
    const std::string name = reason.substr(quote + 1, reason.rfind('\'') - quote - 1);
    const bool is_table = line[span.column - 1] == '[';
    return {span,
            is_table ? cat("table [", name, "] is given twice")
                     : cat("key `", name, "` is given twice"),
            "the second", is_table ? "merge the two" : "remove one of them"};
  }
  // "Error while parsing WHAT: REASON"
  const std::string prefix = "Error while parsing ";
  if (const std::size_t colon = reason.find(": ");
      reason.starts_with(prefix) && colon != reason.npos) {
    const std::string what = reason.substr(prefix.size(), colon - prefix.size());
    const bool has_vowel = std::string_view("aeiou").find(what[0]) != std::string_view::npos;
    return {span, cat("not valid TOML, in ", has_vowel ? "an " : "a ", what),
            reason.substr(colon + 2), syntax_hint(what)};
  }
  return {span, "not valid TOML", reason, syntax_hint("")};
}

}  // namespace

std::optional<Node> parse_toml(std::string_view text, int index, const SourceText& source,
                               std::vector<Problem>& problems) {
  try {
    return convert(toml::parse(text), {index, 0});
  } catch (const toml::parse_error& error) {
    problems.push_back(syntax_problem(error, index, source));
    return std::nullopt;
  }
}

bool parse_set_value(const std::string& text, int index, int column, Node& node,
                     std::string& reason) {
  static constexpr std::string_view kPrefix = "v = ";
  const Origin origin{index, column - 1 - static_cast<int>(kPrefix.size())};
  try {
    const toml::table parsed = toml::parse(std::string_view(cat(kPrefix, text)));
    if (parsed.size() != 1) throw std::invalid_argument("more than one line");
    node = convert(*parsed.get("v"), origin);
  } catch (const std::exception& error) {
    if (!text.empty() && std::string_view("\"'[{").find(text[0]) != std::string_view::npos) {
      const std::string what = error.what();
      const std::size_t colon = what.find(": ");
      reason = colon == what.npos ? what : what.substr(colon + 2);
      return false;
    }
    node.type = NodeType::kString;
    node.value = text;
    node.span = {index, 1, column, column + std::max<int>(1, static_cast<int>(text.size()))};
  }
  node.raw = text;
  return true;
}

// From the first to the last character of the line that is not blank.
Span whole_line(int source, int line, const std::string& text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = text.find_last_not_of(" \t") + 1;
  return {source, line, static_cast<int>(begin) + 1, std::max<int>(begin + 2, end + 1)};
}

}  // namespace qed
