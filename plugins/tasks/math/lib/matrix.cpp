// Arithmetic of matrices.

#include "shapes.h"

namespace math {

namespace {

std::size_t rows(const Tree& tree, NodeId id) { return tree[id].count / tree[id].columns; }

NodeId times(Tree& tree, NodeId a, NodeId b) {
  const std::size_t columns = tree[b].columns, inner = tree[a].columns;
  if (inner != rows(tree, b)) return kBadNode;
  std::vector<NodeId> cells;
  for (std::size_t r = 0; r < rows(tree, a); ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      std::vector<NodeId> terms;
      for (std::size_t k = 0; k < inner; ++k) {
        const NodeId x = tree.part(a, r * inner + k), y = tree.part(b, k * columns + c);
        terms.push_back(tree.add({.kind = Kind::kProduct}, {x, y}));
      }
      cells.push_back(tree.add({.kind = Kind::kSum}, terms));
      if (tree.is_full()) return kBadNode;
    }
  }
  return tree.add({.kind = Kind::kMatrix, .columns = static_cast<std::uint16_t>(columns)}, cells);
}

// Cell by cell with a number, or with a matrix of the same form.
NodeId cellwise(Tree& tree, NodeId matrix, NodeId other, Kind kind) {
  const bool is_number = tree[other].kind != Kind::kMatrix;
  if (!is_number &&
      (tree[matrix].count != tree[other].count || tree[matrix].columns != tree[other].columns)) {
    return kBadNode;
  }
  std::vector<NodeId> cells;
  for (std::size_t i = 0; i < tree[matrix].count; ++i) {
    const NodeId x = tree.part(matrix, i), y = is_number ? other : tree.part(other, i);
    cells.push_back(tree.add({.kind = kind}, {x, y}));
    if (tree.is_full()) return kBadNode;
  }
  return tree.add({.kind = Kind::kMatrix, .columns = tree[matrix].columns}, cells);
}

}  // namespace

NodeId as_matrix(Tree& tree, NodeId id) {
  const Kind kind = tree[id].kind;
  if ((kind != Kind::kSum && kind != Kind::kProduct) || !contains(tree, id, Kind::kMatrix)) {
    return id;
  }
  NodeId out = kBadNode;
  const std::vector<NodeId> parts(tree.parts(id).begin(), tree.parts(id).end());
  for (const NodeId part : parts) {
    const NodeId next = as_matrix(tree, part);
    if (out == kBadNode) {
      out = next;
      continue;
    }
    const bool is_left = tree[out].kind == Kind::kMatrix,
               is_right = tree[next].kind == Kind::kMatrix;
    if (kind == Kind::kSum) {
      out = is_left && is_right ? cellwise(tree, out, next, kind) : kBadNode;
    } else if (is_left && is_right) {
      out = times(tree, out, next);
    } else if (is_left || is_right) {
      out = cellwise(tree, is_left ? out : next, is_left ? next : out, kind);
    } else {
      out = tree.add({.kind = kind}, {out, next});
    }
    if (out == kBadNode) return id;
  }
  return out;
}

}  // namespace math
