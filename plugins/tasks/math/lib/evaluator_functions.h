#pragma once

// Functions of one number, of evaluator.h.

#include "evaluator.h"

namespace math {

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::root(const C& x, NodeId index) {
  const auto n = exact_value(tree_, index, reading_, budget_);
  if (!n || n->sign() <= 0) return C::bad();
  const bool is_odd = n->is_whole() && (n->num & 1) == 1;
  const Rational exponent{n->den, n->num};
  if (is_odd && x.is_real() && x.re.is_negative()) return -rational_power(-x, exponent);
  return rational_power(x, exponent);
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::rounded(const C& x, bool is_up) {
  if (!x.is_real() || B::exponent(x.re.mid) > 50) return C::bad();
  using std::floor;
  const auto low = static_cast<std::int64_t>(floor(x.re.mid));
  const auto below = x.re - B::of({low, 1}), above = B::of({low + 1, 1}) - x.re;
  if (below.is_exact_zero()) return whole(low);
  if (!below.is_positive() || !above.is_positive()) return C::bad();  // too near to tell
  return whole(is_up ? low + 1 : low);
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::logarithm(NodeId id, const C& x) {
  if (tree_[id].count == 2) {
    const C base = value(tree_.part(id, 1));
    if (!base.ok()) return C::bad();
    return natural_log(x) * inverse(natural_log(base));
  }
  const bool is_natural =
      tree_[id].name == "ln" || (tree_[id].name == "log" && reading_.log_is_natural);
  return is_natural ? natural_log(x) : natural_log(x) * inverse(natural_log(whole(10)));
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::exponential(const C& x) {
  const std::uint64_t cost = x.is_real() ? kExp : kExp + 2 * kSin;
  return x.ok() && budget_.spend(cost) ? exp(x) : C::bad();
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::natural_log(const C& x) {
  const std::uint64_t cost = x.is_real() ? kLog : kLog + kSqrt + kAtan;
  return x.ok() && budget_.spend(cost) ? log(x) : C::bad();
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::square_root(const C& x) {
  const std::uint64_t cost = x.is_real() ? kSqrt : kLog + kSqrt + kAtan + kExp + 2 * kSin;
  return x.ok() && budget_.spend(cost) ? sqrt(x) : C::bad();
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::trigonometric(const std::string& name, const C& x) {
  const bool is_inverse = name.front() == 'a';
  const bool is_hyperbolic = name.back() == 'h';
  if (is_inverse) return is_hyperbolic ? inverse_hyperbolic(name, x) : inverse_circular(name, x);
  return is_hyperbolic ? hyperbolic(name, x) : circular(name, x);
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::circular(const std::string& name, const C& x) {
  const std::uint64_t cost = x.is_real() ? 2 * kSin : 2 * (kSin + 2 * kExp);
  if (!budget_.spend(cost)) return C::bad();
  if (name == "sin") return sin(x);
  if (name == "cos") return cos(x);
  if (name == "tan") return sin(x) * inverse(cos(x));
  if (name == "cot") return cos(x) * inverse(sin(x));
  return inverse(name == "sec" ? cos(x) : sin(x));
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::hyperbolic(const std::string& name, const C& x) {
  const C up = exponential(x), down = exponential(-x), half = real(B::of({1, 2}));
  if (name == "sinh") return (up + -down) * half;
  if (name == "cosh") return (up + down) * half;
  if (name == "tanh") return (up + -down) * inverse(up + down);
  return (up + down) * inverse(up + -down);
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::inverse_hyperbolic(const std::string& name, const C& x) {
  const C one = whole(1);
  if (name == "asinh") return natural_log(x + square_root(x * x + one));
  if (name == "acosh") return natural_log(x + square_root(x + one) * square_root(x + -one));
  return natural_log((one + x) * inverse(one + -x)) * real(B::of({1, 2}));
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::inverse_circular(const std::string& name, const C& x) {
  if (!x.is_real() || !budget_.spend(kAtan)) return C::bad();
  if (name == "atan") return real(atan(x.re));
  if (name == "acot") return real(pi<Bits>() * B::of({1, 2}) - atan(x.re));
  const C y = name == "asec" || name == "acsc" ? inverse(x) : x;
  const C cosine = square_root(whole(1) + -(y * y));
  if (!y.ok() || !cosine.ok() || !cosine.is_real()) return C::bad();
  const bool is_sine = name == "asin" || name == "acsc";
  // The angle of (cosine, y) or of (y, cosine): at the ends one of them is 0.
  return real(is_sine ? angle(C{cosine.re, y.re}) : angle(C{y.re, cosine.re}));
}

}  // namespace math
