// Values: fractions exactly, others by their canonical text, then as functions of their symbols.

#include "compare.h"
#include "shapes.h"

namespace math {

namespace {

Equality opposite_sides(int sign) { return sign >= 0 ? Equality::kEqual : Equality::kDifferent; }

bool is_call(const Tree& tree, NodeId id, std::string_view name) {
  return tree[id].kind == Kind::kCall && tree[id].name == name;
}

bool has_call(const Tree& tree, NodeId id, std::string_view name) {
  if (is_call(tree, id, name)) return true;
  for (const NodeId part : tree.parts(id)) {
    if (has_call(tree, part, name)) return true;
  }
  return false;
}

// Digits of a number as written, without those before the first that is not 0.
int significant_digits(const Node& node) {
  BigInt n = node.value.num;
  for (int i = 0; i < node.places; ++i) n *= 10;
  n /= node.value.den;
  int digits = 0;
  for (; n != 0 && digits < 40; n /= 10) ++digits;
  return digits;
}

bool is_written_whole(const Tree& tree, NodeId id) {
  return tree[id].kind == Kind::kNumber && tree[id].value.is_whole();
}

// "2/4", of written whole numbers.
bool is_unreduced(const Tree& tree, NodeId id) {
  if (tree[id].kind != Kind::kProduct || tree[id].count != 2) return false;
  const NodeId above = tree.part(id, 0), inverse = tree.part(id, 1);
  if (!is_written_whole(tree, above) || tree[inverse].kind != Kind::kPower) return false;
  const NodeId below = tree.part(inverse, 0);
  return is_written_whole(tree, below) && gcd(tree[above].value.num, tree[below].value.num) != 1;
}

}  // namespace

Equality Comparer::values(NodeId gold, NodeId pred) {
  if (policy_.whole_is_whole && is_written_whole(tree_, gold) != is_written_whole(tree_, pred)) {
    std::string unit;
    const auto is_plain = [&](NodeId id) {
      while (is_call(tree_, id, "percent")) id = tree_.part(id, 0);
      return is_written_whole(tree_, without_unit(tree_, id, unit));
    };
    if (is_plain(gold) != is_plain(pred)) return Equality::kDifferent;
  }
  if (policy_.require_reduced && is_unreduced(tree_, gold) != is_unreduced(tree_, pred)) {
    return Equality::kDifferent;
  }
  Equality out = same_value(gold, pred, reading_);
  if (out == Equality::kEqual) return out;
  if (!policy_.strict_names) {
    const auto to = symbols_in_order(tree_, gold), from = symbols_in_order(tree_, pred);
    if (from.size() == to.size() && from != to) {
      const NodeId other = renamed(tree_, pred, from, to);
      if (same_value(gold, other, reading_) == Equality::kEqual) return Equality::kEqual;
    }
  }
  if (policy_.log_is_either && (has_call(tree_, gold, "log") || has_call(tree_, pred, "log"))) {
    Reading natural = reading_;
    natural.log_is_natural = true;
    if (same_value(gold, pred, natural) == Equality::kEqual) return Equality::kEqual;
  }
  if (policy_.percent == Percent::kEither) {
    const NodeId hundred = tree_.number({100, 1});
    const NodeId more = tree_.add({.kind = Kind::kProduct}, {pred, hundred});
    const NodeId less = tree_.quotient(pred, hundred);
    for (const NodeId other : {more, less}) {
      if (same_value(gold, other, reading_) == Equality::kEqual) return Equality::kEqual;
    }
  }
  return out;
}

Equality Comparer::same_value(NodeId a, NodeId b, const Reading& reading) {
  if (policy_.tolerance == Tolerance::kRelative) {
    const Equality near = close(a, b, reading);
    if (near != Equality::kUnknown) return near;
  }
  const auto x = exact_value(tree_, a, reading, budget_);
  const auto y = x ? exact_value(tree_, b, reading, budget_) : std::nullopt;
  if (x && y) {
    if (*x == *y) return Equality::kEqual;
    return close(a, b, reading) == Equality::kEqual ? Equality::kEqual : Equality::kDifferent;
  }
  if (canonical_text(tree_, a, reading, budget_) == canonical_text(tree_, b, reading, budget_)) {
    return Equality::kEqual;
  }
  for (const std::string_view name : {"inf", "reals", "empty", "..."}) {
    if (contains_symbol(tree_, a, name) || contains_symbol(tree_, b, name)) {
      return Equality::kDifferent;
    }
  }
  const Equality out = identical(tree_, a, b, reading, budget_);
  if (out != Equality::kDifferent) return out;
  return close(a, b, reading) == Equality::kEqual ? Equality::kEqual : out;
}

// Whether the tolerance makes them equal; unknown where it says nothing about them.
Equality Comparer::close(NodeId a, NodeId b, const Reading& reading) {
  if (policy_.tolerance == Tolerance::kNone) return Equality::kUnknown;
  const bool is_relative = policy_.tolerance == Tolerance::kRelative;
  if (!is_relative && !has_decimal(tree_, a) && !has_decimal(tree_, b)) return Equality::kUnknown;
  if (has_symbols(tree_, a) || has_symbols(tree_, b)) return Equality::kUnknown;
  if (!budget_.spend(40)) return Equality::kUnknown;
  Rational limit{1, 1};
  if (policy_.tolerance == Tolerance::kRounded) {
    constexpr int kMinDigits = 7;
    const bool is_left = tree_[a].kind == Kind::kNumber && tree_[a].places > 0;
    const bool is_right = tree_[b].kind == Kind::kNumber && tree_[b].places > 0;
    if (is_left == is_right) return Equality::kUnknown;
    const Node& decimal = tree_[is_left ? a : b];
    if (significant_digits(decimal) < kMinDigits) return Equality::kUnknown;
    limit.den = 2 * boost::multiprecision::pow(BigInt(10), static_cast<unsigned>(decimal.places));
  } else if (policy_.tolerance == Tolerance::kPlaces) {
    limit.den = 2 * boost::multiprecision::pow(BigInt(10), static_cast<unsigned>(policy_.places));
  } else {
    limit.den = 10'000;
  }
  NodeId bound = tree_.number(limit);
  if (is_relative) {
    const NodeId left = tree_.call("abs", {a}), right = tree_.call("abs", {b});
    const NodeId larger = tree_.call("max", {left, right});
    bound = tree_.add({.kind = Kind::kProduct}, {bound, larger});
  }
  const NodeId gap = tree_.call("abs", {tree_.difference(a, b)});
  const NodeId room = tree_.difference(bound, gap);
  if (const auto exact = exact_value(tree_, room, reading, budget_)) {
    return opposite_sides(exact->sign());
  }
  const auto sign = sign_of(tree_, room, reading, budget_);
  return sign ? opposite_sides(*sign) : Equality::kUnknown;
}

}  // namespace math
