#include "core/config/document.h"

#include <algorithm>
#include <cctype>

#include "core/config/extends.h"
#include "core/config/toml_text.h"

namespace qed {
namespace {

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

// [[task]] becomes tables 1, 2, … of `task`, as --set names them.
void number_tasks(Node& parent) {
  Node* task = parent.find("task");
  if (task == nullptr || task->type != NodeType::kArray || task->children.empty()) return;
  for (const Node& child : task->children) {
    if (!child.is_table()) return;
  }
  task->type = NodeType::kTable;
  for (std::size_t i = 0; i < task->children.size(); ++i) {
    task->children[i].key = std::to_string(i + 1);
    task->children[i].key_span = task->children[i].span;
  }
}

}  // namespace

bool is_bare_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

const Node* Node::find(std::string_view name) const {
  if (type != NodeType::kTable) return nullptr;
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const Node& child) { return child.key == name; });
  return found == children.end() ? nullptr : &*found;
}

Node* Node::find(std::string_view name) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(name));
}

void read_set(const std::string& argument, const std::string& example, Document& document,
              std::vector<Problem>& problems) {
  const int source = static_cast<int>(document.sources.size());
  document.sources.push_back({"--set", {argument}, false});
  const std::string hint = cat("write --set KEY=VALUE, for example --set ", example);
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
      const std::string key = argument.substr(0, equals);
      problems.push_back({node.key_span,
                          key.empty() ? "--set without a key" : cat("`", key, "` is no key"),
                          "expected a name", hint});
      return;
    }
    path.push_back(std::move(node));
    begin = end + 1;
  }
  Node value;
  std::string reason;
  const int column = static_cast<int>(equals) + 2;
  if (!parse_set_value(argument.substr(equals + 1), source, column, value, reason)) {
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

Document read_document(const std::string& file, const std::vector<std::string>& overrides,
                       std::vector<Problem>& problems) {
  Document document;
  document.file = read_files(file, document, problems);
  number_tasks(document.file);
  if (Node* stages = document.file.find("stage")) {
    for (Node& stage : stages->children) number_tasks(stage);
  }
  for (const std::string& argument : overrides) {
    read_set(argument, "train.lr=1e-6", document, problems);
  }
  return document;
}

}  // namespace qed
