#pragma once

// A run file and its --set overrides as trees of named values that know where they stand.

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

struct Document {
  std::vector<SourceText> sources;
  Node file;  // the root table of the run file
  Node sets;  // what --set gave; `stage` holds tables named "1", "2", …; the last of a key wins
};

// Reads `file` and parses `overrides` ("a.b=v"). What is not readable, not TOML or malformed is
// added to `problems`, and is missing from the document.
Document read_document(const std::string& file, const std::vector<std::string>& overrides,
                       std::vector<Problem>& problems);

}  // namespace qed
