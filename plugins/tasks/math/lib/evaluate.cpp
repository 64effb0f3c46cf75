#include "evaluate.h"

#include "levels.h"

#include <algorithm>

namespace math {

namespace {

// Cheap first; a finding of double counts only where it proves a difference.
template <class Step>
Finding rising(Step step) {
  Finding found = step.template operator()<53>();
  if (found == Finding::kDifferent) return found;
  found = step.template operator()<192>();
  if (found != Finding::kTooCoarse) return found;
  return step.template operator()<768>();
}

bool mentions(const Tree& tree, NodeId id, bool (*is_it)(const Tree&, NodeId)) {
  if (is_it(tree, id)) return true;
  return std::ranges::any_of(tree.parts(id),
                             [&](NodeId part) { return mentions(tree, part, is_it); });
}

bool is_imaginary(const Tree& tree, NodeId id) {
  return tree[id].kind == Kind::kSymbol && tree[id].name == "i";
}

// Roots with another index than 2: their value below zero is a matter of convention.
bool is_other_root(const Tree& tree, NodeId id) {
  if (tree[id].kind == Kind::kCall && tree[id].name == "root") return true;
  if (tree[id].kind != Kind::kPower) return false;
  Budget budget(200);
  const auto exponent = exact_value(tree, tree.part(id, 1), {}, budget);
  return exponent && exponent->den > 2;
}

bool is_step(const Tree& tree, NodeId id) {
  const std::string& name = tree[id].name;
  return tree[id].kind == Kind::kCall && (name == "floor" || name == "ceil" || name == "mod");
}

}  // namespace

Rational value_of_symbol(std::string_view name, std::size_t point) {
  std::uint64_t hash = 0xcbf29ce484222325u + point * 0x9e3779b97f4a7c15u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  hash ^= hash >> 29;
  hash *= 0xbf58476d1ce4e5b9u;
  hash ^= hash >> 32;
  constexpr std::int64_t kDenominator = 1009;  // a prime
  const auto num = static_cast<std::int64_t>(hash % 2801 + 353);
  const bool is_negative = point >= kNumPositive && ((hash >> 40) & 1) != 0;
  return {is_negative || point + 1 == kNumPoints ? -num : num,
          num == kDenominator || num == 2 * kDenominator || num == 3 * kDenominator
              ? std::int64_t{1013}
              : kDenominator};
}

Equality identical(const Tree& tree, NodeId a, NodeId b, const Reading& reading, Budget& budget) {
  const Pair pair{tree, a, b, reading};
  const bool is_constant = !has_symbols(tree, a) && !has_symbols(tree, b);
  const bool is_complex = mentions(tree, a, is_imaginary) || mentions(tree, b, is_imaginary);
  const bool must_be_real = !is_constant && !is_complex;
  const bool has_roots = mentions(tree, a, is_other_root) || mentions(tree, b, is_other_root);
  const std::size_t num_points = is_constant ? 1 : has_roots ? kNumPositive : kNumPoints;
  std::size_t num_equal = 0;
  for (std::size_t point = 0; point < num_points; ++point) {
    const Finding found = rising(
        [&]<unsigned Bits>() { return compare_at<Bits>(pair, point, must_be_real, budget); });
    if (found == Finding::kDifferent) return Equality::kDifferent;
    if (found == Finding::kTooCoarse || budget.is_spent()) return Equality::kUnknown;
    if (found == Finding::kEqual) ++num_equal;
  }
  // Steps agree at some points without being equal.
  const bool has_steps = mentions(tree, a, is_step) || mentions(tree, b, is_step);
  const bool is_enough = num_equal >= std::min<std::size_t>(num_points, 2);
  return is_enough && (is_constant || !has_steps) ? Equality::kEqual : Equality::kUnknown;
}

Proportion proportional(const Tree& tree, NodeId a, NodeId b, const Reading& reading,
                        Budget& budget) {
  const Pair pair{tree, a, b, reading};
  std::size_t num_equal = 0;
  Proportion out;
  for (std::size_t point = 1; point < kNumPoints; ++point) {
    const Finding found = rising(
        [&]<unsigned Bits>() { return compare_ratio<Bits>(pair, 0, point, budget, out.sign); });
    if (found == Finding::kDifferent) return {Equality::kDifferent, 0};
    if (found == Finding::kTooCoarse || budget.is_spent()) return {};
    if (found == Finding::kEqual && out.sign != 0) ++num_equal;
  }
  out.equality = num_equal >= 2 ? Equality::kEqual : Equality::kUnknown;
  return out;
}

std::optional<int> sign_of(const Tree& tree, NodeId id, const Reading& reading, Budget& budget) {
  if (const auto sign = sign_at<53>(tree, id, reading, budget)) return sign;
  if (const auto sign = sign_at<192>(tree, id, reading, budget)) return sign;
  return sign_at<768>(tree, id, reading, budget);
}

}  // namespace math
