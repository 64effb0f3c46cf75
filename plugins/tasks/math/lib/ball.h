#pragma once

// Real numbers with a bound on their error: midpoint and radius. The true value is always within
// the radius, so "does not contain zero" is a proof.

#include "bound.h"
#include "rational.h"

#include <boost/multiprecision/cpp_bin_float.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

namespace math {

template <unsigned Bits>
struct FloatOf {
  using type =
      boost::multiprecision::number<boost::multiprecision::backends::cpp_bin_float<
                                        Bits, boost::multiprecision::backends::digit_base_2>,
                                    boost::multiprecision::et_off>;
};
template <>
struct FloatOf<53> {
  using type = double;
};

// Bits is 53 (double and the C library's functions, which are trusted to 12 bits less), or the
// width of a software float, which is the same on every machine. A ball that is not `ok` bounds
// nothing: overflow, or a point where the function is not defined.
template <unsigned Bits>
struct Ball {
  using Float = typename FloatOf<Bits>::type;
  static constexpr int kLostBits = 12;  // of a function's result

  Float mid = 0;
  Bound rad;
  bool ok = true;

  static std::int64_t exponent(const Float& x) {  // |x| < 2^exponent
    if (x == 0) return std::numeric_limits<std::int32_t>::min();
    using std::ilogb;
    return static_cast<std::int64_t>(ilogb(x)) + 1;
  }
  static Bound above(const Float& x) {  // >= |x|
    if (x == 0) return {};
    int e = 0;
    using std::frexp;
    const Float m = frexp(x, &e);
    return Bound::of(std::fabs(static_cast<double>(m)) * (1 + 0x1p-40), e);
  }
  static Bound ulp(const Float& x) {
    if (x == 0) return {};
    return {0.5, exponent(x) - static_cast<int>(Bits) + 3};
  }

  // A result that is rounded once.
  static Ball rounded(Float mid, Bound rad) {
    Ball out{std::move(mid), rad, true};
    using boost::multiprecision::isfinite;
    using std::isfinite;
    out.ok = isfinite(out.mid);
    if constexpr (Bits == 53) {
      if (out.mid != 0 && std::fabs(out.mid) < 1e-250) out.ok = false;
    }
    if (out.ok) out.rad = out.rad + ulp(out.mid);
    return out;
  }
  // The result of a function: relative and absolute error.
  static Ball of_function(Float mid, Bound rad) {
    Ball out = rounded(std::move(mid), rad);
    if (!out.ok) return out;
    const std::int64_t lost = kLostBits - static_cast<int>(Bits);
    out.rad = out.rad + Bound{0.5, lost} + above(out.mid) * Bound{0.5, lost};
    return out;
  }
  static Ball bad() { return {0, {}, false}; }

  bool is_exact_zero() const { return ok && mid == 0 && rad.is_zero(); }
  bool has_zero() const { return !(rad < above(mid)) || mid == 0; }
  // Strictly on one side of zero.
  bool is_positive() const { return ok && mid > 0 && low_bound().m > 0; }
  bool is_negative() const { return ok && mid < 0 && low_bound().m > 0; }
  // <= |x| for all x of the ball; 0 where it contains zero.
  Bound low_bound() const {
    if (mid == 0) return {};
    const Bound size = above(mid);
    Bound r = rad;
    const std::int64_t gap = size.e - r.e;
    if (r.m == 0 || gap > 60) return Bound::of(size.m * (1 - 0x1p-30), size.e);
    if (gap < -1) return {};
    const double left = size.m * (1 - 0x1p-30) - std::ldexp(r.m, static_cast<int>(-gap));
    return left > 0 ? Bound::of(left, size.e) : Bound{};
  }
  Bound high_bound() const { return above(mid) + rad; }

  friend Ball operator+(const Ball& a, const Ball& b) {
    if (!a.ok || !b.ok) return bad();
    if (a.is_exact_zero()) return b;
    if (b.is_exact_zero()) return a;
    return rounded(a.mid + b.mid, a.rad + b.rad);
  }
  friend Ball operator-(const Ball& a) { return {-a.mid, a.rad, a.ok}; }
  friend Ball operator-(const Ball& a, const Ball& b) { return a + (-b); }
  friend Ball operator*(const Ball& a, const Ball& b) {
    if (!a.ok || !b.ok) return bad();
    if (a.is_exact_zero() || b.is_exact_zero()) return {};
    return rounded(a.mid * b.mid, above(a.mid) * b.rad + above(b.mid) * a.rad + a.rad * b.rad);
  }
  friend Ball inverse(const Ball& a) {
    if (!a.ok) return bad();
    const Bound low = a.low_bound();
    if (low.m == 0) return bad();
    const Bound r = a.rad * one_over(low) * one_over(above(a.mid));
    return rounded(1 / a.mid, r * Bound{0.5, 2});
  }
  static Bound one_over(const Bound& x) { return Bound::of(1 / x.m * (1 + 0x1p-40), -x.e); }

  static Ball of(const Rational& x) {
    if constexpr (Bits == 53) {
      const auto whole = [](const BigInt& n) {
        const double d = n.convert_to<double>();
        const bool is_exact = std::fabs(d) < 0x1p53;
        return Ball{d, is_exact ? Bound{} : Bound::of(std::fabs(d), -50), std::isfinite(d)};
      };
      return x.den == 1 ? whole(x.num) : whole(x.num) * inverse(whole(x.den));
    } else {
      const auto whole = [](const BigInt& n) {
        Ball out{Float(n), {}, true};
        if (n != 0 && msb(n.sign() < 0 ? BigInt(-n) : n) >= Bits) out.rad = ulp(out.mid);
        return out;
      };
      return x.den == 1 ? whole(x.num) : whole(x.num) * inverse(whole(x.den));
    }
  }
};

}  // namespace math
