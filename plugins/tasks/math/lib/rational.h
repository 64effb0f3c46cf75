#pragma once

// Exact fractions of big integers, with a bound on their size.

#include "budget.h"

#include <boost/multiprecision/cpp_int.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace math {

using BigInt = boost::multiprecision::cpp_int;

// The largest numerator and denominator. What would be larger has no exact value here.
inline constexpr std::uint64_t kMaxBits = 8192;
// The most digits of a number as written, and the largest exponent behind its e.
inline constexpr std::size_t kMaxDigits = 2000;

// A fraction in lowest terms with a denominator > 0.
struct Rational {
  BigInt num = 0, den = 1;

  bool is_whole() const { return den == 1; }
  bool is_zero() const { return num == 0; }
  int sign() const { return num.sign(); }
  bool operator==(const Rational& other) const { return num == other.num && den == other.den; }
};

// Nothing where the result is too large, where something is divided by zero, or where the budget
// is spent.
std::optional<Rational> add(const Rational& a, const Rational& b, Budget& budget);
std::optional<Rational> multiply(const Rational& a, const Rational& b, Budget& budget);
std::optional<Rational> divide(const Rational& a, const Rational& b, Budget& budget);
std::optional<Rational> power(const Rational& base, const Rational& exponent, Budget& budget);
Rational negate(Rational a);
// -1, 0 or 1: a < b, a == b, a > b.
int compare(const Rational& a, const Rational& b);

// "12", "0.50", ".5", "3.": digits with at most one point. Nothing for too many digits.
std::optional<Rational> parse_decimal(std::string_view text);
// x * 10^exponent.
std::optional<Rational> scale_by_ten(const Rational& x, std::int64_t exponent, Budget& budget);
// The value of a whole number that fits; nothing for others.
std::optional<std::int64_t> small_whole(const Rational& x);

// "n" or "n/d" in hexadecimal: one text per value.
std::string text_of(const Rational& x);

}  // namespace math
