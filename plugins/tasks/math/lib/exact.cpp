// Exact values.

#include "evaluate.h"

#include <algorithm>

namespace math {

namespace {

constexpr std::int64_t kMaxFactorial = 700;  // below 2^kMaxBits

class Exact {
 public:
  Exact(const Tree& tree, const Reading& reading, Budget& budget)
      : tree_(tree), reading_(reading), budget_(budget) {}

  std::optional<Rational> value(NodeId id) {
    if (!budget_.spend(2)) return std::nullopt;
    const Node& node = tree_[id];
    switch (node.kind) {
      case Kind::kNumber:
        return node.value;
      case Kind::kSum:
        return fold(id, {0, 1}, &add);
      case Kind::kProduct:
        return fold(id, {1, 1}, &multiply);
      case Kind::kQuantity:
        return value(tree_.part(id, 0));
      case Kind::kPower: {
        const auto base = value(tree_.part(id, 0));
        if (!base) return std::nullopt;
        const auto exponent = value(tree_.part(id, 1));
        if (!exponent) return std::nullopt;
        return power(*base, *exponent, budget_);
      }
      case Kind::kCall:
        return call(id);
      default:
        return std::nullopt;
    }
  }

 private:
  using Operation = std::optional<Rational> (*)(const Rational&, const Rational&, Budget&);

  std::optional<Rational> fold(NodeId id, Rational start, Operation operation) {
    std::optional<Rational> out;
    for (const NodeId part : tree_.parts(id)) {
      auto x = value(part);
      if (!x) return std::nullopt;
      out = out ? operation(*out, *x, budget_) : std::move(x);
      if (!out) return std::nullopt;
    }
    return out ? out : start;
  }

  std::optional<Rational> call(NodeId id) {
    const Node& node = tree_[id];
    if (node.count == 0 || node.name == "sum" || node.name == "prod") return std::nullopt;
    const auto x = value(tree_.part(id, 0));
    if (!x) return std::nullopt;
    const std::string& name = node.name;
    if (name == "percent") {
      return reading_.percent_is_fraction ? divide(*x, {100, 1}, budget_) : x;
    }
    if (name == "degree") return x;
    if (name == "abs") return x->sign() < 0 ? negate(*x) : *x;
    if (name == "factorial") return factorial(*x);
    if (name == "floor" || name == "ceil") {
      BigInt n = x->num / x->den;
      if (!x->is_whole() && x->sign() < 0) --n;
      if (name == "ceil" && !x->is_whole()) ++n;
      return Rational{n, 1};
    }
    if (name == "max" || name == "min" || name == "gcd" || name == "lcm") return many(id, *x);
    if (node.count != 2) return std::nullopt;
    const auto y = value(tree_.part(id, 1));
    if (!y) return std::nullopt;
    if (name == "root") {
      const auto n = divide({1, 1}, *y, budget_);
      if (!n) return std::nullopt;
      const bool is_odd = y->is_whole() && (y->num & 1) == 1;
      if (x->sign() >= 0 || !is_odd) return power(*x, *n, budget_);
      const auto positive = power(negate(*x), *n, budget_);
      return positive ? std::optional(negate(*positive)) : std::nullopt;
    }
    if (name == "mod") return mod(*x, *y);
    if (name == "binomial") return binomial(*x, *y);
    if (name == "log") return logarithm(*x, *y);
    return std::nullopt;
  }

  std::optional<Rational> factorial(const Rational& x) {
    const auto n = small_whole(x);
    if (!n || *n < 0 || *n > kMaxFactorial || !budget_.spend(static_cast<std::uint64_t>(4 * *n))) {
      return std::nullopt;
    }
    BigInt out = 1;
    for (std::int64_t i = 2; i <= *n; ++i) out *= i;
    return Rational{out, 1};
  }

  std::optional<Rational> binomial(const Rational& x, const Rational& y) {
    const auto n = small_whole(x), given = small_whole(y);
    if (!n || !given || *n < 0 || *given < 0) return std::nullopt;
    if (*given > *n) return Rational{0, 1};
    const std::int64_t k = std::min(*given, *n - *given);
    if (*n > 1'000'000'000 || k > 300 || !budget_.spend(static_cast<std::uint64_t>(16 * k))) {
      return std::nullopt;
    }
    BigInt out = 1;
    for (std::int64_t i = 0; i < k; ++i) {
      out *= *n - i;
      out /= i + 1;
    }
    return Rational{out, 1};
  }

  std::optional<Rational> mod(const Rational& x, const Rational& y) {
    const auto ratio = divide(x, y, budget_);
    if (!ratio) return std::nullopt;
    BigInt n = ratio->num / ratio->den;
    if (!ratio->is_whole() && ratio->sign() < 0) --n;
    const auto whole = multiply({n, 1}, y, budget_);
    return whole ? add(x, negate(*whole), budget_) : std::nullopt;
  }

  // A whole logarithm of a power of a whole base.
  std::optional<Rational> logarithm(const Rational& x, const Rational& base) {
    constexpr int kMaxSteps = 600;
    if (!base.is_whole() || base.num < 2 || x.sign() <= 0) return std::nullopt;
    if (x.num != 1 && x.den != 1) return std::nullopt;
    BigInt rest = x.den == 1 ? x.num : x.den;
    int n = 0;
    for (; rest > 1 && n < kMaxSteps; ++n) {
      if (!budget_.spend(4) || rest % base.num != 0) return std::nullopt;
      rest /= base.num;
    }
    if (rest != 1) return std::nullopt;
    return Rational{x.den == 1 ? n : -n, 1};
  }

  std::optional<Rational> many(NodeId id, Rational out) {
    const std::string& name = tree_[id].name;
    for (std::size_t i = 1; i < tree_[id].count; ++i) {
      const auto x = value(tree_.part(id, i));
      if (!x) return std::nullopt;
      if (name == "max" || name == "min") {
        if ((compare(*x, out) > 0) == (name == "max")) out = *x;
        continue;
      }
      // Of fractions a/b and c/d over the common denominator b d.
      if (!budget_.spend(16)) return std::nullopt;
      const BigInt a = abs(BigInt(out.num * x->den)), b = abs(BigInt(x->num * out.den));
      if (a.is_zero() && b.is_zero()) return std::nullopt;
      const BigInt divisor = gcd(a, b);
      const Rational common{name == "gcd" ? divisor : BigInt(a / divisor * b), 1};
      const auto next = divide(common, {out.den * x->den, 1}, budget_);
      if (!next) return std::nullopt;
      out = *next;
    }
    return (name == "gcd" || name == "lcm") && out.sign() < 0 ? negate(out) : out;
  }

  const Tree& tree_;
  const Reading& reading_;
  Budget& budget_;
};

}  // namespace

std::optional<Rational> exact_value(const Tree& tree, NodeId id, const Reading& reading,
                                    Budget& budget) {
  return Exact(tree, reading, budget).value(id);
}

}  // namespace math
