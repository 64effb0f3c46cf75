#include "tree.h"

namespace math {

NodeId Tree::add(Node node, std::span<const NodeId> parts) {
  node.first = static_cast<std::uint32_t>(parts_.size());
  node.count = static_cast<std::uint32_t>(parts.size());
  if (!parts.empty() && parts.data() >= parts_.data() &&
      parts.data() < parts_.data() + parts_.size()) {
    const std::vector<NodeId> copy(parts.begin(), parts.end());  // parts_ may move
    parts_.insert(parts_.end(), copy.begin(), copy.end());
  } else {
    parts_.insert(parts_.end(), parts.begin(), parts.end());
  }
  for (std::size_t i = node.first; i < parts_.size(); ++i) {
    node.depth = std::max(node.depth, nodes_[parts_[i]].depth);
  }
  ++node.depth;
  depth_ = std::max<std::size_t>(depth_, node.depth);
  nodes_.push_back(std::move(node));
  return static_cast<NodeId>(nodes_.size() - 1);
}

NodeId Tree::number(Rational value, int places) {
  return add({.kind = Kind::kNumber,
              .places = static_cast<std::int16_t>(places),
              .value = std::move(value)});
}

NodeId Tree::negative(NodeId x) {
  if (nodes_[x].kind == Kind::kNumber) {
    return number(negate(nodes_[x].value), nodes_[x].places);
  }
  if (nodes_[x].kind == Kind::kQuantity) {
    std::string unit = nodes_[x].name;
    const NodeId value = negative(part(x, 0));
    return add({.kind = Kind::kQuantity, .name = std::move(unit)}, {value});
  }
  const NodeId minus = number({-1, 1});
  return add({.kind = Kind::kProduct}, {minus, x});
}

NodeId Tree::inverse(NodeId x) {
  const NodeId minus = number({-1, 1});
  return add({.kind = Kind::kPower}, {x, minus});
}

NodeId Tree::quotient(NodeId x, NodeId y) {
  const NodeId below = inverse(y);
  return add({.kind = Kind::kProduct}, {x, below});
}

NodeId Tree::difference(NodeId x, NodeId y) {
  const NodeId other = negative(y);
  return add({.kind = Kind::kSum}, {x, other});
}

}  // namespace math
