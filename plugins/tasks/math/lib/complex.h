#pragma once

// Complex numbers of two balls, and their functions on the principal branch: not ok where a ball
// meets a cut.

#include "ball_functions.h"

namespace math {

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
