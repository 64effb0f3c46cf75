#pragma once

// Values of expressions at a point, as balls of one precision. Included once per precision, by
// evaluate_<bits>.cpp.

#include "ball_functions.h"
#include "evaluate.h"
#include "levels.h"

#include <algorithm>
#include <bit>

namespace math {

template <unsigned Bits>
class Evaluator {
 public:
  using B = Ball<Bits>;
  using C = Complex<Bits>;

  Evaluator(const Tree& tree, const Reading& reading, std::size_t point, Budget& budget)
      : tree_(tree), reading_(reading), point_(point), budget_(budget) {}

  C value(NodeId id) {
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
        for (std::size_t i = 1; i < node.count && out.ok(); ++i)
          out = out + value(tree_.part(id, i));
        return out;
      }
      case Kind::kProduct: {
        C out = value(tree_.part(id, 0));
        for (std::size_t i = 1; i < node.count && out.ok(); ++i)
          out = out * value(tree_.part(id, i));
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

 private:
  // What operations cost at this precision, and functions.
  static constexpr std::uint64_t kArithmetic = Bits == 53 ? 1 : Bits < 256 ? 8 : 24;
  static constexpr std::uint64_t kFunction = Bits == 53 ? 3 : Bits < 256 ? 400 : 3000;
  static constexpr std::int64_t kMaxTerms = 2000;  // of a sum, product, factorial
  static constexpr std::int64_t kMaxPower = std::int64_t{1} << 40;

  static C real(B x) { return {std::move(x), {}}; }
  static C whole(std::int64_t n) { return real(B::of({n, 1})); }

  C symbol(const std::string& name) {
    for (auto bound = bound_.rbegin(); bound != bound_.rend(); ++bound) {
      if (bound->first == name) return whole(bound->second);
    }
    if (name == "pi") return real(pi<Bits>());
    if (name == "i") return {{}, B::of({1, 1})};
    if (name == "e") return budget_.spend(kFunction) ? real(exp(B::of({1, 1}))) : C::bad();
    if (name == "inf" || name == "reals" || name == "empty" || name == "...") return C::bad();
    return real(B::of(value_of_symbol(name, point_)));
  }

  C power_of(NodeId base_id, NodeId exponent_id) {
    Budget small(std::min<std::uint64_t>(budget_.left(), 200));
    const auto exponent =
        bound_.empty() ? exact_value(tree_, exponent_id, reading_, small) : std::nullopt;
    const bool is_e = tree_[base_id].kind == Kind::kSymbol && tree_[base_id].name == "e";
    if (is_e && !(exponent && exponent->is_whole())) {
      return budget_.spend(kFunction) ? exp(value(exponent_id)) : C::bad();
    }
    const C base = value(base_id);
    if (!base.ok()) return C::bad();
    if (exponent) return rational_power(base, *exponent);
    const C high = value(exponent_id);
    if (!high.ok() || !budget_.spend(3 * kFunction)) return C::bad();
    if (const auto n = near_whole(high)) return rational_power(base, {*n, 1});
    return exp(log(base) * high);
  }

  // The whole number that a value is exactly.
  static std::optional<std::int64_t> near_whole(const C& x) {
    if (!x.is_real() || !x.re.rad.is_zero()) return std::nullopt;
    if (B::exponent(x.re.mid) > 40) return std::nullopt;
    const auto n = static_cast<std::int64_t>(x.re.mid);
    if (typename B::Float(n) != x.re.mid) return std::nullopt;
    return n;
  }

  C rational_power(const C& base, const Rational& exponent) {
    const auto n = small_whole({exponent.num, 1});
    if (!n || *n > kMaxPower || *n < -kMaxPower) return C::bad();
    if (base.re.is_exact_zero() && base.is_real()) return *n > 0 ? base : C::bad();
    C root = base;
    if (exponent.den == 2) {
      if (!budget_.spend(base.is_real() ? 4 * kArithmetic : 3 * kFunction)) return C::bad();
      root = sqrt(base);
    } else if (exponent.den != 1) {
      if (!budget_.spend(3 * kFunction)) return C::bad();
      return exp(log(base) * real(B::of(exponent)));
    }
    const auto times = static_cast<std::uint64_t>(*n < 0 ? -*n : *n);
    if (!budget_.spend(2 * kArithmetic * static_cast<std::uint64_t>(std::bit_width(times)))) {
      return C::bad();
    }
    const C out = power(root, times);
    return *n < 0 ? inverse(out) : out;
  }

  C call(NodeId id) {
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
    if (name == "abs") return real(absolute(x));
    if (name == "root") return root(x, tree_.part(id, 1));
    if (name == "floor" || name == "ceil") return rounded(x, name == "ceil");
    if (!budget_.spend(2 * kFunction)) return C::bad();
    if (name == "ln" || name == "lg" || name == "log") return logarithm(id, x);
    return trigonometric(name, is_degrees(tree_.part(id, 0)) ? x * degree() : x);
  }

  static bool is_opaque(const std::string& name) {
    static constexpr std::string_view kKnown[] = {
        "percent", "degree", "abs",  "root", "floor", "ceil",  "ln",    "lg",   "log",  "sin",
        "cos",     "tan",    "cot",  "sec",  "csc",   "asin",  "acos",  "atan", "acot", "asec",
        "acsc",    "sinh",   "cosh", "tanh", "coth",  "asinh", "acosh", "atanh"};
    return std::ranges::find(kKnown, name) == std::end(kKnown);
  }

  // A function that is not known: the same arguments give the same value.
  C opaque(NodeId id) {
    if (!bound_.empty()) return C::bad();
    return real(B::of(value_of_symbol(canonical_text(tree_, id, reading_, budget_), point_)));
  }

  bool is_degrees(NodeId id) const {
    return tree_[id].kind == Kind::kCall && tree_[id].name == "degree";
  }
  static C degree() { return real(pi<Bits>() * B::of({1, 180})); }

  C root(const C& x, NodeId index) {
    const auto n = exact_value(tree_, index, reading_, budget_);
    if (!n || n->sign() <= 0) return C::bad();
    const bool is_odd = n->is_whole() && (n->num & 1) == 1;
    const Rational exponent{n->den, n->num};
    if (is_odd && x.is_real() && x.re.is_negative()) return -rational_power(-x, exponent);
    return rational_power(x, exponent);
  }

  static C rounded(const C& x, bool is_up) {
    if (!x.is_real() || B::exponent(x.re.mid) > 50) return C::bad();
    using std::floor;
    const auto low = static_cast<std::int64_t>(floor(x.re.mid));
    const auto below = x.re - B::of({low, 1}), above = B::of({low + 1, 1}) - x.re;
    if (below.is_exact_zero()) return whole(low);
    if (!below.is_positive() || !above.is_positive()) return C::bad();  // too near to tell
    return whole(is_up ? low + 1 : low);
  }

  C logarithm(NodeId id, const C& x) {
    if (tree_[id].count == 2) {
      const C base = value(tree_.part(id, 1));
      if (!base.ok()) return C::bad();
      return log(x) * inverse(log(base));
    }
    const bool is_natural =
        tree_[id].name == "ln" || (tree_[id].name == "log" && reading_.log_is_natural);
    return is_natural ? log(x) : log(x) * inverse(log(whole(10)));
  }

  C trigonometric(const std::string& name, const C& x) {
    const C one = whole(1);
    if (name == "sin") return sin(x);
    if (name == "cos") return cos(x);
    if (name == "tan") return sin(x) * inverse(cos(x));
    if (name == "cot") return cos(x) * inverse(sin(x));
    if (name == "sec") return inverse(cos(x));
    if (name == "csc") return inverse(sin(x));
    const C up = exp(x), down = exp(-x), half = real(B::of({1, 2}));
    if (name == "sinh") return (up + -down) * half;
    if (name == "cosh") return (up + down) * half;
    if (name == "tanh") return (up + -down) * inverse(up + down);
    if (name == "coth") return (up + down) * inverse(up + -down);
    if (name == "asinh") return log(x + sqrt(x * x + one));
    if (name == "acosh") return log(x + sqrt(x + one) * sqrt(x + -one));
    if (name == "atanh") return log((one + x) * inverse(one + -x)) * half;
    if (!x.is_real()) return C::bad();
    if (name == "atan") return real(atan(x.re));
    if (name == "acot") return real(pi<Bits>() * B::of({1, 2}) - atan(x.re));
    const C y = name == "asec" || name == "acsc" ? inverse(x) : x;
    const C cosine = sqrt(one + -(y * y));
    if (!y.ok() || !cosine.ok() || !cosine.is_real()) return C::bad();
    const bool is_sine = name == "asin" || name == "acsc";
    // The angle of (cosine, y) or of (y, cosine): at the ends one of them is 0.
    return real(is_sine ? angle(C{cosine.re, y.re}) : angle(C{y.re, cosine.re}));
  }

  // Of whole numbers; of others a value of its own, as of a function that is not known.
  C whole_function(NodeId id) {
    Budget small(std::min<std::uint64_t>(budget_.left(), 20'000));
    if (bound_.empty()) {
      const std::uint64_t before = small.left();
      const auto exact = exact_value(tree_, id, reading_, small);
      if (!budget_.spend(before - small.left())) return C::bad();
      if (exact) return real(B::of(*exact));
    }
    if (tree_[id].name != "factorial") return opaque(id);
    std::optional<std::int64_t> n;
    if (bound_.empty()) {
      const auto exact = exact_value(tree_, tree_.part(id, 0), reading_, budget_);
      if (!exact) return opaque(id);
      n = small_whole(*exact);
    } else {
      n = near_whole(value(tree_.part(id, 0)));
    }
    if (!n || *n < 0 || *n > 20 * kMaxTerms) return C::bad();
    B out = B::of({1, 1});
    for (std::int64_t i = 2; i <= *n && out.ok; ++i) {
      if (!budget_.spend(kArithmetic)) return C::bad();
      out = out * B::of({i, 1});
    }
    return real(out);
  }

  C extreme(NodeId id) {
    const bool is_max = tree_[id].name == "max";
    C out = value(tree_.part(id, 0));
    for (std::size_t i = 1; i < tree_[id].count && out.ok(); ++i) {
      const C next = value(tree_.part(id, i));
      if (!next.ok() || !next.is_real() || !out.is_real()) return C::bad();
      const B gap = next.re - out.re;
      if (gap.is_exact_zero()) continue;
      if (gap.has_zero()) return C::bad();
      if (gap.is_positive() == is_max) out = next;
    }
    return out;
  }

  // \sum and \prod between whole bounds.
  C counted(NodeId id) {
    const C first = value(tree_.part(id, 1)), last = value(tree_.part(id, 2));
    const auto from = near_whole(first), to = near_whole(last);
    if (!first.ok() || !last.ok() || bound_.size() > 3) return C::bad();
    if (!from || !to) return opaque(id);
    if (*to - *from >= kMaxTerms) return C::bad();
    const bool is_sum = tree_[id].name == "sum";
    C out = whole(is_sum ? 0 : 1);
    bound_.emplace_back(tree_[tree_.part(id, 0)].name, *from);
    for (std::int64_t n = *from; n <= *to && out.ok(); ++n) {
      bound_.back().second = n;
      const C term = value(tree_.part(id, 3));
      out = is_sum ? out + term : out * term;
    }
    bound_.pop_back();
    return out;
  }

  const Tree& tree_;
  const Reading& reading_;
  const std::size_t point_;
  Budget& budget_;
  std::vector<std::pair<std::string, std::int64_t>> bound_;
};

// The difference of two values, as level() and ratio_level() of levels.h say.
template <unsigned Bits>
Finding difference(const Complex<Bits>& x, const Complex<Bits>& y) {
  using B = Ball<Bits>;
  if (!x.ok() || !y.ok()) return Finding::kUndefined;
  const B re = x.re - y.re, im = x.im - y.im;
  if (!re.ok || !im.ok) return Finding::kUndefined;
  if ((!re.is_exact_zero() && !re.has_zero()) || (!im.is_exact_zero() && !im.has_zero())) {
    return Finding::kDifferent;
  }
  if constexpr (Bits == 53) return Finding::kTooCoarse;
  // Equal to 100 bits, and to a fraction of 1: of huge numbers the difference would be lost.
  const Bound error = re.rad + im.rad, size = x.re.high_bound() + x.im.high_bound();
  const Bound relative = size * Bound{0.5, -99}, one{0.5, -59};
  if (error.is_zero()) return Finding::kEqual;
  return error < relative && error < one ? Finding::kEqual : Finding::kTooCoarse;
}

}  // namespace math
