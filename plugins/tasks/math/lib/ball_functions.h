#pragma once

// Functions of balls. Where a ball meets a point at which the function jumps or is not defined, the
// result is not ok.

#include "ball.h"

namespace math {

template <unsigned Bits>
Ball<Bits> exp(const Ball<Bits>& x) {
  using B = Ball<Bits>;
  using std::exp;
  if (!x.ok || B::exponent(x.mid) > 20 || x.rad.e > 0) return B::bad();
  const auto mid = typename B::Float(exp(x.mid));
  return B::of_function(mid, B::above(mid) * x.rad * Bound{0.5, 3});
}

template <unsigned Bits>
Ball<Bits> log(const Ball<Bits>& x) {  // x > 0
  using B = Ball<Bits>;
  using std::log;
  if (!x.is_positive()) return B::bad();
  return B::of_function(typename B::Float(log(x.mid)), x.rad * B::one_over(x.low_bound()));
}

template <unsigned Bits>
Ball<Bits> sqrt(const Ball<Bits>& x) {  // x >= 0
  using B = Ball<Bits>;
  using std::sqrt;
  if (x.is_exact_zero()) return x;
  if (!x.is_positive()) return B::bad();
  const auto mid = typename B::Float(sqrt(x.mid));
  return B::rounded(mid, x.rad * B::one_over(B::above(mid)) * Bound{0.5, 2});
}

// The error of the argument's reduction grows with the argument.
template <unsigned Bits>
bool is_small_angle(const Ball<Bits>& x) {
  return x.ok && Ball<Bits>::exponent(x.mid) <= 30 && x.rad.e <= 0;
}
template <unsigned Bits>
Bound angle_error(const Ball<Bits>& x) {
  return x.rad + Ball<Bits>::above(x.mid) * Bound{0.5, 8 - static_cast<int>(Bits)};
}

template <unsigned Bits>
Ball<Bits> sin(const Ball<Bits>& x) {
  using B = Ball<Bits>;
  using std::sin;
  if (x.is_exact_zero()) return x;
  if (!is_small_angle(x)) return B::bad();
  return B::of_function(typename B::Float(sin(x.mid)), angle_error(x));
}

template <unsigned Bits>
Ball<Bits> cos(const Ball<Bits>& x) {
  using B = Ball<Bits>;
  using std::cos;
  if (!is_small_angle(x)) return B::bad();
  return B::of_function(typename B::Float(cos(x.mid)), angle_error(x));
}

template <unsigned Bits>
Ball<Bits> atan(const Ball<Bits>& x) {
  using B = Ball<Bits>;
  using std::atan;
  if (!x.ok) return B::bad();
  if (x.is_exact_zero()) return x;
  return B::of_function(typename B::Float(atan(x.mid)), x.rad);
}

template <unsigned Bits>
Ball<Bits> pi() {
  using B = Ball<Bits>;
  using std::atan;
  static const B value = B::of_function(typename B::Float(atan(typename B::Float(1)) * 4), {});
  return value;
}

}  // namespace math
