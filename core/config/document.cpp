#include "core/config/document.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

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

// From the first to the last character of the line that is not blank.
Span whole_line(int source, int line, const std::string& text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = text.find_last_not_of(" \t") + 1;
  return {source, line, static_cast<int>(begin) + 1, std::max<int>(begin + 2, end + 1)};
}

Problem syntax_problem(const toml::parse_error& error, const SourceText& source) {
  std::string reason(error.description());
  const auto at = error.source().begin;
  Span span{0, static_cast<int>(at.line), static_cast<int>(at.column),
            static_cast<int>(at.column) + 1};
  const bool is_repeated = reason.find("cannot redefine existing") != std::string::npos;
  if (is_repeated && at.line <= source.lines.size()) {
    const std::string& line = source.lines[at.line - 1];
    span = whole_line(0, span.line, line);
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
    return {span, "not valid TOML, in a " + what, reason.substr(colon + 2), ""};
  }
  return {span, "not valid TOML", reason, ""};
}

void read_file(const std::string& file, Document& document, std::vector<Problem>& problems) {
  SourceText& source = document.sources.emplace_back(SourceText{file, {}, true});
  const std::string hint = "give the path of a run file, for example configs/quickstart.toml";
  if (std::filesystem::is_directory(file)) {
    problems.push_back({{}, cat("cannot read the run file ", file, ": it is a folder"), "", hint});
    return;
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) {
    const char* reason = errno != 0 ? std::strerror(errno) : "reading failed";
    std::string lower = reason;
    lower[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(lower[0])));
    problems.push_back({{}, cat("cannot read the run file ", file, ": ", lower), "", hint});
    return;
  }
  const std::string content = text.str();
  source.lines = split_lines(content);
  try {
    document.file = convert(toml::parse(std::string_view(content)), {});
  } catch (const toml::parse_error& error) {
    problems.push_back(syntax_problem(error, source));
  }
}

bool is_bare_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

// The value of a --set. What is no TOML value is a string; but an unfinished string or list is a
// slip.
bool parse_set_value(const std::string& text, const Origin& at, Node& node, std::string& reason) {
  static constexpr std::string_view kPrefix = "v = ";
  Origin origin = at;
  origin.column_shift -= static_cast<int>(kPrefix.size());
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
    const int column = at.column_shift + 1;
    node.span = {at.source, 1, column, column + std::max<int>(1, text.size())};
  }
  node.raw = text;
  return true;
}

// Puts `node` at its key below `parent`. Tables merge; anything else replaces what was there.
void insert(Node& parent, Node node) {
  Node* old = parent.find(node.key);
  if (old == nullptr) {
    parent.children.push_back(std::move(node));
  } else if (old->is_table() && node.is_table()) {
    for (Node& child : node.children) insert(*old, std::move(child));
  } else {
    *old = std::move(node);
  }
}

void read_set(const std::string& argument, Document& document, std::vector<Problem>& problems) {
  const int source = static_cast<int>(document.sources.size());
  document.sources.push_back({"--set", {argument}, false});
  const std::string hint = "write --set KEY=VALUE, for example --set train.lr=1e-6";
  const std::size_t equals = argument.find('=');
  const Span all = whole_line(source, 1, argument);
  if (equals == std::string::npos) {
    problems.push_back({all, "--set without a value", "no `=` here", hint});
    return;
  }
  std::vector<Node> path;
  for (std::size_t begin = 0; begin <= equals;) {
    const std::size_t end = std::min(argument.find('.', begin), equals);
    Node node;
    node.key = argument.substr(begin, end - begin);
    node.key_span = {source, 1, static_cast<int>(begin) + 1, std::max<int>(end + 1, begin + 2)};
    node.span = node.key_span;
    if (!is_bare_key(node.key)) {
      problems.push_back({node.key_span,
                          cat("--set of `", argument.substr(0, equals), "`, which is no key"),
                          "expected a name", hint});
      return;
    }
    path.push_back(std::move(node));
    begin = end + 1;
  }
  Node value;
  std::string reason;
  const Origin origin{source, static_cast<int>(equals) + 1};
  if (!parse_set_value(argument.substr(equals + 1), origin, value, reason)) {
    const int column = static_cast<int>(equals) + 2;
    problems.push_back({{source, 1, column, std::max<int>(column + 1, argument.size() + 1)},
                        cat("value of --set ", argument.substr(0, equals), " is not valid TOML"),
                        reason,
                        "quote a string for the shell and for TOML: --set 'run.name=\"a b\"'"});
    return;
  }
  value.key = path.back().key;
  value.key_span = path.back().key_span;
  for (path.pop_back(); !path.empty(); path.pop_back()) {
    Node table = std::move(path.back());
    table.children.push_back(std::move(value));
    value = std::move(table);
  }
  insert(document.sets, std::move(value));
}

}  // namespace

const Node* Node::find(std::string_view name) const {
  if (type != NodeType::kTable) return nullptr;
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const Node& child) { return child.key == name; });
  return found == children.end() ? nullptr : &*found;
}

Node* Node::find(std::string_view name) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(name));
}

Document read_document(const std::string& file, const std::vector<std::string>& overrides,
                       std::vector<Problem>& problems) {
  Document document;
  read_file(file, document, problems);
  for (const std::string& argument : overrides) read_set(argument, document, problems);
  return document;
}

}  // namespace qed
