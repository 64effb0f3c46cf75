// Lists, tuples, sets, intervals and unions.

#include "compare.h"
#include "shapes.h"

#include <algorithm>
#include <functional>

namespace math {

Equality Comparer::collections(NodeId gold, NodeId pred) {
  const Kind g = tree_[gold].kind, p = tree_[pred].kind;
  if (g == Kind::kTuple && p == Kind::kTuple) return in_order(gold, pred);
  if (g == Kind::kTuple || p == Kind::kTuple) {
    const NodeId other = g == Kind::kTuple ? pred : gold;
    const Kind kind = tree_[other].kind;
    if (kind == Kind::kText) return Equality::kDifferent;
    // "p = 5, q = 2" assigns a tuple.
    const bool assigns =
        kind == Kind::kList && std::ranges::all_of(tree_.parts(other), [&](NodeId part) {
          return tree_[part].kind == Kind::kRelation;
        });
    if (assigns || (policy_.set_is_tuple && (kind == Kind::kSet || kind == Kind::kList))) {
      return in_order(gold, pred);
    }
    if (g == Kind::kTuple) return Equality::kDifferent;
    const std::vector<NodeId> parts = parts_of_list(tree_, gold);
    return parts.size() == 1 && parts[0] != gold ? compare(parts[0], pred) : Equality::kDifferent;
  }
  const std::vector<NodeId> a = parts_of_list(tree_, gold), b = parts_of_list(tree_, pred);
  if (policy_.ordered_lists && g == Kind::kList && p == Kind::kList) return in_order(gold, pred);
  if (a.size() == 1 && b.size() == 1) {
    if (a[0] == gold && b[0] == pred) return Equality::kDifferent;
    return compare(a[0], b[0]);
  }
  const bool as_sets = policy_.set_is_tuple || g == Kind::kSet || p == Kind::kSet;
  return matched(a, b, as_sets);
}

// One to one, or as sets: each has an equal one on the other side.
Equality Comparer::matched(const std::vector<NodeId>& a, const std::vector<NodeId>& b,
                           bool as_sets) {
  constexpr std::size_t kMaxParts = 128;
  if (!as_sets && a.size() != b.size()) return Equality::kDifferent;
  if (a.size() > kMaxParts || b.size() > kMaxParts) return Equality::kUnknown;
  std::vector<Equality> equal(a.size() * b.size());
  bool is_sure = true;
  std::vector<bool> has_left(a.size()), has_right(b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      equal[i * b.size() + j] = compare(a[i], b[j]);
      if (equal[i * b.size() + j] == Equality::kDifferent) continue;
      if (equal[i * b.size() + j] == Equality::kUnknown) is_sure = false;
      has_left[i] = has_right[j] = true;
    }
    if (!has_left[i]) return Equality::kDifferent;
  }
  if (!std::ranges::all_of(has_right, std::identity())) return Equality::kDifferent;
  if (!is_sure) return Equality::kUnknown;
  if (as_sets) return Equality::kEqual;
  // Augmenting paths.
  std::vector<std::size_t> partner(b.size(), a.size());
  std::vector<bool> is_seen;
  const std::function<bool(std::size_t)> place = [&](std::size_t i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      if (equal[i * b.size() + j] != Equality::kEqual || is_seen[j]) continue;
      is_seen[j] = true;
      if (partner[j] == a.size() || place(partner[j])) {
        partner[j] = i;
        return true;
      }
    }
    return false;
  };
  for (std::size_t i = 0; i < a.size(); ++i) {
    is_seen.assign(b.size(), false);
    if (!place(i)) return Equality::kDifferent;
  }
  return Equality::kEqual;
}

namespace {

struct Region {
  std::vector<NodeId> intervals, points, others;
};

void collect(Tree& tree, NodeId id, Region& out) {
  switch (tree[id].kind) {
    case Kind::kUnion: {
      const NodeId left = tree.part(id, 0), right = tree.part(id, 1);
      collect(tree, left, out);
      collect(tree, right, out);
      return;
    }
    case Kind::kInterval:
      out.intervals.push_back(id);
      return;
    case Kind::kTuple:
      (tree[id].count == 2 ? out.intervals : out.others).push_back(id);
      return;
    case Kind::kSet: {
      const auto parts = parts_of_list(tree, id);
      out.points.insert(out.points.end(), parts.begin(), parts.end());
      return;
    }
    case Kind::kRelation:
    case Kind::kChain: {
      const NodeId interval = as_interval(tree, id);
      (interval == kBadNode ? out.others : out.intervals)
          .push_back(interval == kBadNode ? id : interval);
      return;
    }
    case Kind::kSymbol:
      if (tree[id].name == "reals") {
        const NodeId infinity = tree.symbol("inf");
        const NodeId low = tree.negative(infinity);
        out.intervals.push_back(
            tree.add({.kind = Kind::kInterval, .flags = kOpenLow | kOpenHigh}, {low, infinity}));
        return;
      }
      if (tree[id].name == "empty") return;
      break;
    default:
      break;
  }
  out.others.push_back(id);
}

}  // namespace

Equality Comparer::unions(NodeId gold, NodeId pred) {
  if (tree_[gold].kind == Kind::kInterval && tree_[pred].kind == Kind::kInterval) {
    return intervals(gold, pred);
  }
  Region a, b;
  collect(tree_, gold, a);
  collect(tree_, pred, b);
  if (!a.others.empty() || !b.others.empty()) {
    const Kind g = tree_[gold].kind, p = tree_[pred].kind;
    if (g == p && (g == Kind::kIntersection || g == Kind::kDifference)) return in_order(gold, pred);
    if (g == Kind::kList || p == Kind::kList) return collections(gold, pred);
    return Equality::kDifferent;
  }
  if (a.intervals.size() != b.intervals.size()) return Equality::kDifferent;
  Equality out = Equality::kEqual;
  if (!a.points.empty() || !b.points.empty()) {
    if (a.points.empty() || b.points.empty()) return Equality::kDifferent;
    out = matched(a.points, b.points, true);
    if (out == Equality::kDifferent) return out;
  }
  std::vector<bool> is_used(b.intervals.size());
  for (const NodeId x : a.intervals) {
    bool is_found = false;
    for (std::size_t j = 0; j < b.intervals.size() && !is_found; ++j) {
      if (is_used[j]) continue;
      const Equality one = intervals(x, b.intervals[j]);
      if (one == Equality::kUnknown) return one;
      is_found = one == Equality::kEqual;
      if (is_found) is_used[j] = true;
    }
    if (!is_found) return Equality::kDifferent;
  }
  return out;
}

// (a, b) is read as a tuple, and stands for the open interval here.
Equality Comparer::intervals(NodeId a, NodeId b) {
  const auto flags = [&](NodeId id) {
    return tree_[id].kind == Kind::kTuple ? kOpenLow | kOpenHigh : int{tree_[id].flags};
  };
  if (flags(a) != flags(b)) return Equality::kDifferent;
  return in_order(a, b);
}

}  // namespace math
