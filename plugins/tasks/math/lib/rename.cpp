// Other names for symbols.

#include "evaluate.h"
#include "shapes.h"

#include <algorithm>

namespace math {

NodeId renamed(Tree& tree, NodeId id, const std::vector<std::string>& from,
               const std::vector<std::string>& to) {
  if (tree.is_full()) return id;
  Node copy = tree[id];
  copy.depth = 0;
  if (copy.kind == Kind::kSymbol) {
    const auto at = std::ranges::find(from, copy.name);
    if (at == from.end()) return id;
    copy.name = to[static_cast<std::size_t>(at - from.begin())];
    return tree.add(std::move(copy));
  }
  const std::vector<NodeId> old(tree.parts(id).begin(), tree.parts(id).end());
  std::vector<NodeId> parts;
  for (const NodeId part : old) parts.push_back(renamed(tree, part, from, to));
  return parts == old ? id : tree.add(std::move(copy), parts);
}

std::vector<std::string> symbols_in_order(const Tree& tree, NodeId id) {
  std::vector<std::string> out;
  const auto put = [&out](const std::string& name) {
    if (std::ranges::find(out, name) == out.end()) out.push_back(name);
  };
  if (tree[id].kind == Kind::kSymbol && !is_constant_name(tree[id].name)) put(tree[id].name);
  for (const NodeId part : tree.parts(id)) {
    for (const std::string& name : symbols_in_order(tree, part)) put(name);
  }
  return out;
}

}  // namespace math
