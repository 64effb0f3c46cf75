#include "compare.h"

#include "shapes.h"

#include <algorithm>

namespace math {

Equality Comparer::compare(NodeId gold, NodeId pred) {
  if (depth_ >= kMaxDepth || !budget_.spend(8) || tree_.is_full()) return Equality::kUnknown;
  if (policy_.steps_count && (has_false_step(gold) || has_false_step(pred))) {
    return Equality::kDifferent;
  }
  ++depth_;
  const Equality out = compare_stripped(without_steps(tree_, gold), without_steps(tree_, pred));
  --depth_;
  return budget_.is_spent() && out != Equality::kEqual ? Equality::kUnknown : out;
}

namespace {

bool is_collection(Kind kind) {
  return kind == Kind::kTuple || kind == Kind::kList || kind == Kind::kSet ||
         kind == Kind::kPlusMinus;
}
bool is_region(Kind kind) {
  return kind == Kind::kInterval || kind == Kind::kUnion || kind == Kind::kIntersection ||
         kind == Kind::kDifference;
}
bool is_statement(Kind kind) { return kind == Kind::kRelation || kind == Kind::kChain; }

}  // namespace

Equality Comparer::compare_stripped(NodeId gold, NodeId pred) {
  // Statements of both sides are compared as such; else an assignment is its value.
  if (is_statement(tree_[gold].kind) && is_statement(tree_[pred].kind)) {
    return relations(gold, pred);
  }
  gold = assigned(tree_, gold);
  pred = assigned(tree_, pred);
  if (tree_[gold].kind == Kind::kQuantity || tree_[pred].kind == Kind::kQuantity ||
      tree_[gold].kind == Kind::kCall || tree_[pred].kind == Kind::kCall) {
    return quantities(gold, pred);
  }
  const Kind g = tree_[gold].kind, p = tree_[pred].kind;
  if (is_statement(g) || is_statement(p)) {
    const bool is_allowed = policy_.relation_is_set == RelationIsSet::kBoth ||
                            (policy_.relation_is_set == RelationIsSet::kGold && is_statement(g));
    if (!is_allowed || (is_statement(g) && is_statement(p))) return Equality::kDifferent;
    const NodeId interval = as_interval(tree_, is_statement(g) ? gold : pred);
    if (interval == kBadNode) return Equality::kDifferent;
    return is_statement(g) ? unions(interval, pred) : unions(gold, interval);
  }
  if (g == Kind::kText || p == Kind::kText) return texts(gold, pred);
  const bool has_sign =
      contains(tree_, gold, Kind::kPlusMinus) || contains(tree_, pred, Kind::kPlusMinus);
  if (is_region(g) || is_region(p)) return unions(gold, pred);
  if (is_collection(g) || is_collection(p) || has_sign) return collections(gold, pred);
  if (g == Kind::kRatio || p == Kind::kRatio) return ratios(gold, pred);
  if (contains(tree_, gold, Kind::kMatrix) || contains(tree_, pred, Kind::kMatrix)) {
    return matrices(as_matrix(tree_, gold), as_matrix(tree_, pred));
  }
  const bool is_empty_or_all = g == Kind::kSymbol && p == Kind::kSymbol;
  if (is_empty_or_all && tree_[gold].name == tree_[pred].name) return Equality::kEqual;
  return values(gold, pred);
}

// An equation of two values that differ, or an approximation that is off by more than half
// of its last place.
bool Comparer::has_false_step(NodeId id) {
  if (tree_[id].kind == Kind::kChain) {
    const auto parts = tree_.parts(id);
    const std::vector<NodeId> steps(parts.begin(), parts.end());
    return std::ranges::any_of(steps, [&](NodeId step) { return has_false_step(step); });
  }
  if (tree_[id].kind != Kind::kRelation) return false;
  const Relation relation = tree_[id].relation;
  if (relation != Relation::kEqual && relation != Relation::kApprox) return false;
  std::string unit;
  const NodeId left = without_unit(tree_, tree_.part(id, 0), unit);
  const NodeId right = without_unit(tree_, tree_.part(id, 1), unit);
  const auto is_value = [&](NodeId side) {
    const Kind kind = tree_[side].kind;
    return (kind == Kind::kNumber || kind == Kind::kSum || kind == Kind::kProduct ||
            kind == Kind::kPower || kind == Kind::kCall) &&
           !has_symbols(tree_, side) && !contains(tree_, side, Kind::kPlusMinus);
  };
  if (!is_value(left) || !is_value(right)) return false;
  if (relation == Relation::kEqual) return same_value(left, right, reading_) != Equality::kEqual;
  const int places = std::max<int>(tree_[right].places, 0);
  const NodeId bound =
      tree_.number({1, 2 * boost::multiprecision::pow(BigInt(10), static_cast<unsigned>(places))});
  const NodeId gap = tree_.call("abs", {tree_.difference(left, right)});
  const auto sign = sign_of(tree_, tree_.difference(bound, gap), reading_, budget_);
  return !sign || *sign < 0;
}

// Values with a unit or a sign of their own.
Equality Comparer::quantities(NodeId gold, NodeId pred) {
  std::string gold_unit, pred_unit;
  const NodeId x = without_unit(tree_, gold, gold_unit), y = without_unit(tree_, pred, pred_unit);
  if (policy_.units_count && !gold_unit.empty() && !pred_unit.empty() && gold_unit != pred_unit) {
    return Equality::kDifferent;
  }
  if (x != gold || y != pred) return compare(x, y);
  const Kind g = tree_[gold].kind, p = tree_[pred].kind;
  const bool is_value =
      !is_collection(g) && !is_collection(p) && !is_region(g) && !is_region(p) &&
      !is_statement(g) && !is_statement(p) && g != Kind::kText && p != Kind::kText &&
      g != Kind::kMatrix && p != Kind::kMatrix && !contains(tree_, gold, Kind::kPlusMinus) &&
      !contains(tree_, pred, Kind::kPlusMinus) && g != Kind::kRatio && p != Kind::kRatio;
  if (is_value) return values(gold, pred);
  if (is_collection(g) || is_collection(p)) return collections(gold, pred);
  if (contains(tree_, gold, Kind::kPlusMinus) || contains(tree_, pred, Kind::kPlusMinus)) {
    return collections(gold, pred);
  }
  return Equality::kDifferent;
}

// Words: upper and lower case are the same, but for single letters.
Equality Comparer::texts(NodeId a, NodeId b) {
  auto x = letters(tree_, a), y = letters(tree_, b);
  if (!x || !y) return Equality::kDifferent;
  if (x->size() > 1 && y->size() > 1) {
    const auto lower = [](std::string& s) {
      for (char& c : s) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    lower(*x);
    lower(*y);
  }
  return *x == *y ? Equality::kEqual : Equality::kDifferent;
}

Equality Comparer::in_order(NodeId a, NodeId b) {
  if (tree_[a].count != tree_[b].count) return Equality::kDifferent;
  Equality out = Equality::kEqual;
  for (std::size_t i = 0; i < tree_[a].count; ++i) {
    const Equality one = compare(tree_.part(a, i), tree_.part(b, i));
    if (one == Equality::kDifferent) return one;
    if (one == Equality::kUnknown) out = one;
  }
  return out;
}

Equality Comparer::matrices(NodeId a, NodeId b) {
  if (tree_[a].kind != Kind::kMatrix || tree_[b].kind != Kind::kMatrix) {
    return Equality::kDifferent;
  }
  if (tree_[a].columns != tree_[b].columns) return Equality::kDifferent;
  return in_order(a, b);
}

Equality Comparer::ratios(NodeId a, NodeId b) {
  if (tree_[a].kind == Kind::kRatio && tree_[b].kind == Kind::kRatio) return in_order(a, b);
  if (!policy_.ratio_is_quotient) return Equality::kDifferent;
  const auto quotient = [&](NodeId id) {
    if (tree_[id].kind != Kind::kRatio || tree_[id].count != 2) return id;
    return tree_.quotient(tree_.part(id, 0), tree_.part(id, 1));
  };
  a = quotient(a);
  b = quotient(b);
  if (tree_[a].kind == Kind::kRatio || tree_[b].kind == Kind::kRatio) return Equality::kDifferent;
  return values(a, b);
}

}  // namespace math
