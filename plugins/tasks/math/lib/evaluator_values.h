#pragma once

// Symbols, powers and calls of evaluator.h.

#include "evaluator.h"

#include <algorithm>
#include <bit>

namespace math {

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::value(NodeId id) {
  if (!budget_.spend(kArithmetic)) return C::bad();
  const Node& node = tree_[id];
  switch (node.kind) {
    case Kind::kNumber:
      return {B::of(node.value), {}};
    case Kind::kSymbol:
      return symbol(node.name);
    case Kind::kQuantity:
      return value(tree_.part(id, 0));
    case Kind::kSum: {
      C out = value(tree_.part(id, 0));
      for (std::size_t i = 1; i < node.count && out.ok(); ++i) out = out + value(tree_.part(id, i));
      return out;
    }
    case Kind::kProduct: {
      C out = value(tree_.part(id, 0));
      for (std::size_t i = 1; i < node.count && out.ok(); ++i) out = out * value(tree_.part(id, i));
      return out;
    }
    case Kind::kPower:
      return power_of(tree_.part(id, 0), tree_.part(id, 1));
    case Kind::kCall:
      return call(id);
    default:
      return C::bad();
  }
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::symbol(const std::string& name) {
  for (auto bound = bound_.rbegin(); bound != bound_.rend(); ++bound) {
    if (bound->first == name) return whole(bound->second);
  }
  if (name == "pi") return real(pi<Bits>());
  if (name == "i") return {{}, B::of({1, 1})};
  if (name == "e") return budget_.spend(kExp) ? real(exp(B::of({1, 1}))) : C::bad();
  if (name == "inf" || name == "reals" || name == "empty" || name == "...") return C::bad();
  return real(B::of(value_of_symbol(name, point_)));
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::power_of(NodeId base_id, NodeId exponent_id) {
  Budget small(std::min<std::uint64_t>(budget_.left(), 200));
  const std::uint64_t before = small.left();
  const auto exponent =
      bound_.empty() ? exact_value(tree_, exponent_id, reading_, small) : std::nullopt;
  if (!budget_.spend(before - small.left())) return C::bad();
  const bool is_e = tree_[base_id].kind == Kind::kSymbol && tree_[base_id].name == "e";
  if (is_e && !(exponent && exponent->is_whole())) {
    return exponential(value(exponent_id));
  }
  const C base = value(base_id);
  if (!base.ok()) return C::bad();
  if (exponent) return rational_power(base, *exponent);
  const C high = value(exponent_id);
  if (!high.ok()) return C::bad();
  if (const auto n = near_whole(high)) return rational_power(base, {*n, 1});
  return exponential(natural_log(base) * high);
}

template <unsigned Bits>
std::optional<std::int64_t> Evaluator<Bits>::near_whole(const C& x) {
  if (!x.is_real() || !x.re.rad.is_zero()) return std::nullopt;
  if (B::exponent(x.re.mid) > 40) return std::nullopt;
  const auto n = static_cast<std::int64_t>(x.re.mid);
  if (typename B::Float(n) != x.re.mid) return std::nullopt;
  return n;
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::rational_power(const C& base, const Rational& exponent) {
  const auto n = small_whole({exponent.num, 1});
  if (!n || *n > kMaxPower || *n < -kMaxPower) return C::bad();
  if (base.re.is_exact_zero() && base.is_real()) return *n > 0 ? base : C::bad();
  C root = base;
  if (exponent.den == 2) {
    root = square_root(base);
  } else if (exponent.den != 1) {
    return exponential(natural_log(base) * real(B::of(exponent)));
  }
  const auto times = static_cast<std::uint64_t>(*n < 0 ? -*n : *n);
  if (!budget_.spend(2 * kArithmetic * static_cast<std::uint64_t>(std::bit_width(times)))) {
    return C::bad();
  }
  const C out = power(root, times);
  return *n < 0 ? inverse(out) : out;
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::call(NodeId id) {
  const Node& node = tree_[id];
  const std::string& name = node.name;
  if (name == "sum" || name == "prod") return counted(id);
  if (node.count == 0) return C::bad();
  if (name == "factorial" || name == "binomial" || name == "gcd" || name == "lcm" ||
      name == "mod") {
    return whole_function(id);
  }
  if (name == "min" || name == "max") return extreme(id);
  if (is_opaque(name)) return opaque(id);
  const C x = value(tree_.part(id, 0));
  if (!x.ok()) return C::bad();
  if (name == "percent") {
    return reading_.percent_is_fraction ? x * real(B::of({1, 100})) : x;
  }
  if (name == "degree") return x;
  if (name == "abs") {
    return x.is_real() || budget_.spend(kSqrt) ? real(absolute(x)) : C::bad();
  }
  if (name == "root") return root(x, tree_.part(id, 1));
  if (name == "floor" || name == "ceil") return rounded(x, name == "ceil");
  if (name == "ln" || name == "lg" || name == "log") return logarithm(id, x);
  return trigonometric(name, is_degrees(tree_.part(id, 0)) ? x * degree() : x);
}

template <unsigned Bits>
bool Evaluator<Bits>::is_opaque(const std::string& name) {
  static constexpr std::string_view kKnown[] = {
      "percent", "degree", "abs",  "root", "floor", "ceil",  "ln",    "lg",   "log",  "sin",
      "cos",     "tan",    "cot",  "sec",  "csc",   "asin",  "acos",  "atan", "acot", "asec",
      "acsc",    "sinh",   "cosh", "tanh", "coth",  "asinh", "acosh", "atanh"};
  return std::ranges::find(kKnown, name) == std::end(kKnown);
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::opaque(NodeId id) {
  if (!bound_.empty()) return C::bad();
  return real(B::of(value_of_symbol(canonical_text(tree_, id, reading_, budget_), point_)));
}

template <unsigned Bits>
bool Evaluator<Bits>::is_degrees(NodeId id) const {
  return tree_[id].kind == Kind::kCall && tree_[id].name == "degree";
}

}  // namespace math
