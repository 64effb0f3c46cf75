#include "shapes.h"

#include "evaluate.h"

#include <algorithm>

namespace math {

bool is_only_symbols(const Tree& tree, NodeId id) {
  const Node& node = tree[id];
  switch (node.kind) {
    case Kind::kSymbol:
      return true;
    case Kind::kText:
      return true;
    case Kind::kNumber:
      return node.value == Rational{-1, 1};  // the power of a divisor
    case Kind::kProduct:
    case Kind::kPower:
    case Kind::kTuple:
    case Kind::kRatio:
    case Kind::kCall:
    case Kind::kQuantity:
      break;
    default:
      return false;
  }
  const auto parts = tree.parts(id);
  return std::ranges::all_of(parts, [&](NodeId part) { return is_only_symbols(tree, part); });
}

bool contains(const Tree& tree, NodeId id, Kind kind) {
  if (tree[id].kind == kind) return true;
  return std::ranges::any_of(tree.parts(id),
                             [&](NodeId part) { return contains(tree, part, kind); });
}

bool contains_symbol(const Tree& tree, NodeId id, std::string_view name) {
  if (tree[id].kind == Kind::kSymbol && tree[id].name == name) return true;
  return std::ranges::any_of(tree.parts(id),
                             [&](NodeId part) { return contains_symbol(tree, part, name); });
}

bool has_decimal(const Tree& tree, NodeId id) {
  if (tree[id].kind == Kind::kNumber) return tree[id].places >= 0;
  return std::ranges::any_of(tree.parts(id), [&](NodeId part) { return has_decimal(tree, part); });
}

namespace {

bool is_relation(const Tree& tree, NodeId id, Relation relation) {
  return tree[id].kind == Kind::kRelation && tree[id].relation == relation;
}

// The steps of a chain without those behind an approximation.
std::vector<NodeId> exact_steps(const Tree& tree, NodeId id) {
  std::vector<NodeId> steps;
  for (const NodeId part : tree.parts(id)) {
    if (is_relation(tree, part, Relation::kApprox)) break;
    steps.push_back(part);
  }
  return steps;
}

}  // namespace

NodeId without_steps(Tree& tree, NodeId id) {
  if (is_relation(tree, id, Relation::kIn) && is_only_symbols(tree, tree.part(id, 0))) {
    return tree.part(id, 1);
  }
  if (is_relation(tree, id, Relation::kApprox)) {
    const bool is_named = is_only_symbols(tree, tree.part(id, 0));
    return tree.part(id, is_named ? 1 : 0);
  }
  if (tree[id].kind == Kind::kRelation && tree[id].relation == Relation::kEqual) {
    // Of values: the last.
    const NodeId left = tree.part(id, 0), right = tree.part(id, 1);
    const bool is_value =
        !is_only_symbols(tree, left) && !has_symbols(tree, left) && !has_symbols(tree, right);
    return is_value ? right : id;
  }
  if (tree[id].kind != Kind::kChain) return id;
  const std::vector<NodeId> steps = exact_steps(tree, id);
  if (steps.empty()) return without_steps(tree, tree.part(id, 0));
  const bool are_equations = std::ranges::all_of(
      steps, [&](NodeId step) { return is_relation(tree, step, Relation::kEqual); });
  if (!are_equations) return id;
  const NodeId left = tree.part(steps.front(), 0), right = tree.part(steps.back(), 1);
  return is_only_symbols(tree, left)
             ? tree.add({.kind = Kind::kRelation, .relation = Relation::kEqual}, {left, right})
             : right;
}

NodeId assigned(Tree& tree, NodeId id) {
  id = without_steps(tree, id);
  if (!is_relation(tree, id, Relation::kEqual)) return id;
  const NodeId left = tree.part(id, 0), right = tree.part(id, 1);
  if (is_only_symbols(tree, left)) return right;
  return is_only_symbols(tree, right) && !has_symbols(tree, left) ? left : id;
}

namespace {

// "cm", "centimeters" and "centimetre" are one unit; a sign of money is its word.
std::string normal_unit(std::string_view unit) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"$", "dollar"},   {"centimeter", "cm"}, {"centimetre", "cm"}, {"millimeter", "mm"},
      {"meter", "m"},    {"metre", "m"},       {"kilometer", "km"},  {"kilometre", "km"},
      {"inche", "inch"}, {"in", "inch"},       {"feet", "foot"},     {"ft", "foot"},
      {"yd", "yard"},    {"hr", "hour"},       {"h", "hour"},        {"minute", "min"},
      {"second", "s"},   {"sec", "s"},         {"kilogram", "kg"},   {"gram", "g"},
      {"liter", "l"},    {"litre", "l"},       {"L", "l"},           {"lb", "pound"},
      {"°", "degree"},   {"mi", "mile"},       {"sq", "square"},     {"cu", "cubic"}};
  std::string out, word;
  const auto flush = [&] {
    if (word.empty()) return;
    if (word.size() > 2 && word.back() == 's') word.pop_back();
    for (const auto& [name, unit_name] : kNames) {
      if (word == name) {
        word = unit_name;
        break;
      }
    }
    if (!out.empty()) out += ' ';
    out += word;
    word.clear();
  };
  for (const char c : unit) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           static_cast<unsigned char>(c) >= 0x80 || c == '$';
    if (is_letter) {
      word += c;
    } else {
      flush();
      if (c != ' ' && c != '.' && c != '~' && c != ',') out += c;
    }
  }
  flush();
  return out;
}

}  // namespace

NodeId without_unit(Tree& tree, NodeId id, std::string& unit) {
  while (tree[id].kind == Kind::kQuantity ||
         (tree[id].kind == Kind::kCall && tree[id].name == "degree")) {
    unit = tree[id].kind == Kind::kQuantity ? normal_unit(tree[id].name) : "degree";
    id = tree.part(id, 0);
  }
  return id;
}

std::optional<std::string> letters(const Tree& tree, NodeId id) {
  const Node& node = tree[id];
  std::string out;
  if (node.kind == Kind::kSymbol) return node.name;
  if (node.kind == Kind::kText) {
    for (const char c : node.name) {
      if (c != ' ' && c != '.' && c != '~') out += c;
    }
    return out;
  }
  if (node.kind != Kind::kProduct) return std::nullopt;
  for (const NodeId part : tree.parts(id)) {
    if (tree[part].kind != Kind::kSymbol || tree[part].name.size() != 1) return std::nullopt;
    out += tree[part].name;
  }
  return out;
}

namespace {

// A copy with every \pm replaced by + or by -.
NodeId with_sign(Tree& tree, NodeId id, bool is_plus) {
  if (!contains(tree, id, Kind::kPlusMinus)) return id;
  std::vector<NodeId> parts;
  const std::vector<NodeId> old(tree.parts(id).begin(), tree.parts(id).end());
  for (const NodeId part : old) parts.push_back(with_sign(tree, part, is_plus));
  if (tree[id].kind == Kind::kPlusMinus) {
    return is_plus ? tree.add({.kind = Kind::kSum}, parts) : tree.difference(parts[0], parts[1]);
  }
  Node copy = tree[id];
  copy.depth = 0;
  return tree.add(std::move(copy), parts);
}

}  // namespace

std::vector<NodeId> parts_of_list(Tree& tree, NodeId id) {
  std::vector<NodeId> parts = {id};
  if (tree[id].kind == Kind::kList || tree[id].kind == Kind::kSet) {
    parts.assign(tree.parts(id).begin(), tree.parts(id).end());
  }
  std::vector<NodeId> out;
  for (const NodeId part : parts) {
    if (contains(tree, part, Kind::kPlusMinus) && !tree.is_full()) {
      out.push_back(with_sign(tree, part, true));
      out.push_back(with_sign(tree, part, false));
    } else {
      out.push_back(part);
    }
  }
  return out;
}

NodeId as_interval(Tree& tree, NodeId id) {
  const auto is_bound = [&](NodeId part) {
    if (tree[part].kind != Kind::kRelation) return false;
    const Relation r = tree[part].relation;
    return r == Relation::kLess || r == Relation::kLessEqual || r == Relation::kGreater ||
           r == Relation::kGreaterEqual;
  };
  const auto is_less = [&](NodeId part) {
    return tree[part].relation == Relation::kLess || tree[part].relation == Relation::kLessEqual;
  };
  const auto is_open = [&](NodeId part) {
    return tree[part].relation == Relation::kLess || tree[part].relation == Relation::kGreater;
  };
  const auto interval = [&](NodeId low, NodeId high, bool is_low_open, bool is_high_open) {
    const auto flags =
        static_cast<std::uint8_t>((is_low_open ? kOpenLow : 0) | (is_high_open ? kOpenHigh : 0));
    return tree.add({.kind = Kind::kInterval, .flags = flags}, {low, high});
  };
  if (tree[id].kind == Kind::kChain && tree[id].count == 2) {
    const NodeId first = tree.part(id, 0), second = tree.part(id, 1);
    if (!is_bound(first) || !is_bound(second) || is_less(first) != is_less(second)) return kBadNode;
    if (!is_only_symbols(tree, tree.part(first, 1))) return kBadNode;
    const NodeId left = tree.part(first, 0), right = tree.part(second, 1);
    return is_less(first) ? interval(left, right, is_open(first), is_open(second))
                          : interval(right, left, is_open(second), is_open(first));
  }
  if (!is_bound(id)) return kBadNode;
  const NodeId left = tree.part(id, 0), right = tree.part(id, 1);
  const bool is_left = is_only_symbols(tree, left);
  if (is_left == is_only_symbols(tree, right)) return kBadNode;
  const NodeId infinity = tree.symbol("inf");
  const bool is_upper = is_left == is_less(id);  // x < b, or b > x
  const NodeId bound = is_left ? right : left;
  if (is_upper) return interval(tree.negative(infinity), bound, true, is_open(id));
  return interval(bound, infinity, is_open(id), true);
}

}  // namespace math
