#pragma once

// A run file, the files that it extends, and its --set overrides as trees of named values that know
// where they stand.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/diagnostic.h"

namespace qed {

enum class NodeType { kBool, kInt, kFloat, kString, kTable, kArray, kOther };

// One value. Tables and arrays have children, in the order of the text; array elements have no key.
struct Node {
  std::string key;
  Span key_span;
  Span span;  // of the value; of a table with a header: the header
  NodeType type = NodeType::kTable;
  nlohmann::json value;  // of a scalar other than kOther
  std::string raw;       // of a --set: the value as typed
  std::vector<Node> children;

  bool is_table() const { return type == NodeType::kTable; }
  // The child of this name; null when there is none or this is not a table.
  const Node* find(std::string_view name) const;
  Node* find(std::string_view name);
};

// A key that needs no quotes: letters, digits, _ and -.
bool is_bare_key(std::string_view text);

struct Document {
  std::vector<SourceText> sources;  // the run file, what it extends in turn, then each --set
  // The root table of the run file, filled up from what it extends. [[task]] are tables 1, 2, … of
  // `task`.
  Node file;
  Node sets;  // what --set gave; `stage` holds tables named "1", "2", …; the last of a key wins
  bool is_complete = true;  // every file could be read and is TOML

  bool is_set(const Node& node) const { return !sources.at(node.key_span.source).is_file; }
  // In a file that the run file extends.
  bool is_inherited(const Node& node) const { return node.key_span.source > 0 && !is_set(node); }
};

// Reads `file`, the chain of files that `extends` names, and `overrides` ("a.b=v"). What is not
// readable, not TOML or malformed is added to `problems`, and is missing from the document.
Document read_document(const std::string& file, const std::vector<std::string>& overrides,
                       std::vector<Problem>& problems);

// Parses the argument of one --set into document.sets. `example` is for the hint: "train.lr=1e-6".
void read_set(const std::string& argument, const std::string& example, Document& document,
              std::vector<Problem>& problems);

}  // namespace qed
