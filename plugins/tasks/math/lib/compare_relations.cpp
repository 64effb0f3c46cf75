// Equations and inequalities.

#include "compare.h"
#include "shapes.h"

namespace math {

namespace {

std::vector<NodeId> statements(const Tree& tree, NodeId id) {
  if (tree[id].kind != Kind::kChain) return {id};
  return {tree.parts(id).begin(), tree.parts(id).end()};
}

bool points_down(Relation relation) {
  return relation == Relation::kGreater || relation == Relation::kGreaterEqual;
}
Relation turned(Relation relation) {
  switch (relation) {
    case Relation::kGreater:
      return Relation::kLess;
    case Relation::kGreaterEqual:
      return Relation::kLessEqual;
    default:
      return relation;
  }
}

// The names of the argument in "f(x) = ..." and "f(y) = ...": what it is called does not matter.
std::optional<std::pair<std::string, std::string>> bound_names(const Tree& tree, NodeId a,
                                                               NodeId b) {
  const auto is_function = [&](NodeId id) {
    return tree[id].kind == Kind::kCall && tree[id].count == 1 && tree[id].name.size() == 1 &&
           tree[tree.part(id, 0)].kind == Kind::kSymbol;
  };
  if (!is_function(a) || !is_function(b) || tree[a].name != tree[b].name) return std::nullopt;
  const std::string x = tree[tree.part(a, 0)].name, y = tree[tree.part(b, 0)].name;
  if (x == y) return std::nullopt;
  return std::pair(x, y);
}

bool is_region(Kind kind) {
  return kind == Kind::kInterval || kind == Kind::kUnion || kind == Kind::kTuple ||
         kind == Kind::kSet || kind == Kind::kList;
}

}  // namespace

// Of chains, every statement of one is a statement of the other.
Equality Comparer::relations(NodeId gold, NodeId pred) {
  if (tree_[gold].kind == Kind::kRelation && tree_[pred].kind == Kind::kRelation) {
    return one_relation(gold, pred);
  }
  const std::vector<NodeId> a = statements(tree_, gold), b = statements(tree_, pred);
  if (a.size() != b.size()) {
    const NodeId x = as_interval(tree_, gold), y = as_interval(tree_, pred);
    if (x == kBadNode || y == kBadNode) return Equality::kDifferent;
    return intervals(x, y);
  }
  return matched(a, b, false);
}

Equality Comparer::one_relation(NodeId gold, NodeId pred) {
  const Node g = tree_[gold], p = tree_[pred];
  if (turned(g.relation) != turned(p.relation) || g.name != p.name) return Equality::kDifferent;
  const auto side = [&](NodeId id, std::size_t i) {
    const bool is_turned = points_down(tree_[id].relation);
    return tree_.part(id, is_turned ? 1 - i : i);
  };
  const NodeId a = side(gold, 0), b = side(gold, 1), c = side(pred, 0), d = side(pred, 1);
  if (const auto names = bound_names(tree_, a, c)) {
    const NodeId right = renamed(tree_, d, {names->second}, {names->first});
    return compare(b, right);
  }
  if (g.relation == Relation::kOther || g.relation == Relation::kIn) return in_order(gold, pred);
  // The same left side: the right sides decide, whatever they are.
  const std::string left = canonical_text(tree_, a, reading_, budget_);
  if (left == canonical_text(tree_, c, reading_, budget_)) return compare(b, d);
  if (g.relation == Relation::kEqual && left == canonical_text(tree_, d, reading_, budget_)) {
    return compare(b, c);
  }
  const bool has_sets = is_region(tree_[b].kind) || is_region(tree_[d].kind) ||
                        is_region(tree_[a].kind) || is_region(tree_[c].kind);
  if (has_sets || tree_[a].kind == Kind::kRatio || tree_[c].kind == Kind::kRatio) {
    return policy_.strict_names ? Equality::kDifferent : compare(b, d);
  }
  const NodeId x = tree_.difference(a, b), y = tree_.difference(c, d);
  const Proportion found = proportional(tree_, x, y, reading_, budget_);
  if (found.equality != Equality::kEqual) return found.equality;
  const bool is_directed =
      turned(g.relation) == Relation::kLess || turned(g.relation) == Relation::kLessEqual;
  return is_directed && found.sign < 0 ? Equality::kDifferent : Equality::kEqual;
}

}  // namespace math
