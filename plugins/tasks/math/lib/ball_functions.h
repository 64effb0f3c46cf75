#pragma once

// Functions of balls, and complex numbers of two balls. Where a ball meets a point at which the
// function jumps or is not defined, the result is not ok.

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

template <unsigned Bits>
struct Complex {
  using B = Ball<Bits>;
  B re, im;

  bool ok() const { return re.ok && im.ok; }
  bool is_real() const { return im.is_exact_zero(); }
  static Complex bad() { return {B::bad(), B::bad()}; }

  friend Complex operator+(const Complex& a, const Complex& b) {
    return {a.re + b.re, a.im + b.im};
  }
  friend Complex operator-(const Complex& a) { return {-a.re, -a.im}; }
  friend Complex operator*(const Complex& a, const Complex& b) {
    if (a.is_real() && b.is_real()) return {a.re * b.re, {}};
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
};

template <unsigned Bits>
Complex<Bits> inverse(const Complex<Bits>& a) {
  if (a.is_real()) return {inverse(a.re), {}};
  const auto norm = inverse(a.re * a.re + a.im * a.im);
  return {a.re * norm, -(a.im * norm)};
}

// In (-pi, pi]; not ok on and across the negative axis, except for real numbers.
template <unsigned Bits>
Ball<Bits> angle(const Complex<Bits>& a) {
  using B = Ball<Bits>;
  if (!a.ok()) return B::bad();
  const B half = pi<Bits>() * B::of({1, 2});
  if (a.is_real()) return a.re.is_positive() ? B{} : a.re.is_negative() ? pi<Bits>() : B::bad();
  if (a.re.is_positive()) return atan(a.im * inverse(a.re));
  if (a.im.is_positive()) return half - atan(a.re * inverse(a.im));
  if (a.im.is_negative()) return -half - atan(a.re * inverse(a.im));
  return B::bad();
}

template <unsigned Bits>
Ball<Bits> absolute(const Complex<Bits>& a) {
  if (a.is_real()) {
    if (a.re.is_exact_zero() || a.re.is_positive()) return a.re;
    return a.re.is_negative() ? -a.re : Ball<Bits>::bad();
  }
  return sqrt(a.re * a.re + a.im * a.im);
}

template <unsigned Bits>
Complex<Bits> exp(const Complex<Bits>& a) {
  const auto size = exp(a.re);
  if (a.is_real()) return {size, {}};
  return {size * cos(a.im), size * sin(a.im)};
}

template <unsigned Bits>
Complex<Bits> log(const Complex<Bits>& a) {
  return {log(absolute(a)), angle(a)};
}

template <unsigned Bits>
Complex<Bits> sqrt(const Complex<Bits>& a) {
  if (a.is_real()) {
    if (a.re.is_exact_zero() || a.re.is_positive()) return {sqrt(a.re), {}};
    return {{}, sqrt(-a.re)};
  }
  const auto half = Complex<Bits>{Ball<Bits>::of({1, 2}), {}};
  return exp(log(a) * half);
}

template <unsigned Bits>
Complex<Bits> sin(const Complex<Bits>& a) {
  if (a.is_real()) return {sin(a.re), {}};
  const auto up = exp(a.im), down = exp(-a.im), half = Ball<Bits>::of({1, 2});
  return {sin(a.re) * (up + down) * half, cos(a.re) * (up - down) * half};
}

template <unsigned Bits>
Complex<Bits> cos(const Complex<Bits>& a) {
  if (a.is_real()) return {cos(a.re), {}};
  const auto up = exp(a.im), down = exp(-a.im), half = Ball<Bits>::of({1, 2});
  return {cos(a.re) * (up + down) * half, -(sin(a.re) * (up - down) * half)};
}

// Whole exponents by squaring.
template <unsigned Bits>
Complex<Bits> power(Complex<Bits> a, std::uint64_t n) {
  Complex<Bits> out{Ball<Bits>::of({1, 1}), {}};
  for (; n > 0; n >>= 1) {
    if (n & 1) out = out * a;
    if (n > 1) a = a * a;
  }
  return out;
}

}  // namespace math
