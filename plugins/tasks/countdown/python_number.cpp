#include "python_number.h"

#include <charconv>
#include <cmath>
#include <complex>
#include <limits>

namespace countdown {
namespace {

using Kind = Number::Kind;

std::size_t num_bits(const BigInt& v) { return v == 0 ? 0 : msb(v < 0 ? BigInt(-v) : v) + 1; }

// v, rounded to the nearest double, ties to even; infinite when it is too large.
double nearest_double(const BigInt& v) {
  const BigInt magnitude = v < 0 ? BigInt(-v) : v;
  const std::size_t bits = num_bits(magnitude);
  const std::size_t drop = bits > 64 ? bits - 64 : 0;
  auto top = static_cast<std::uint64_t>(BigInt(magnitude >> drop));
  if (drop > 0 && lsb(magnitude) < drop) top |= 1;  // far below the last bit of the result
  const double result =
      std::ldexp(static_cast<double>(top), static_cast<int>(std::min<std::size_t>(drop, 1 << 20)));
  return v < 0 ? -result : result;
}

// Python's float //: from the exact remainder, so that it never disagrees with %.
double floor_divide(double a, double b, double& remainder) {
  remainder = std::fmod(a, b);
  double quotient = (a - remainder) / b;
  if (remainder == 0) {
    remainder = std::copysign(0.0, b);
  } else if ((b < 0) != (remainder < 0)) {
    remainder += b;
    quotient -= 1;
  }
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

using Complex = std::complex<double>;

Complex product(Complex a, Complex b) {  // without the repair of infinities that C++ adds
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

Complex quotient(Complex a, Complex b) {  // b is not 0; Smith's method, as in Python
  if (std::abs(b.real()) >= std::abs(b.imag())) {
    const double ratio = b.imag() / b.real(), denominator = b.real() + b.imag() * ratio;
    return {(a.real() + a.imag() * ratio) / denominator,
            (a.imag() - a.real() * ratio) / denominator};
  }
  const double ratio = b.real() / b.imag(), denominator = b.real() * ratio + b.imag();
  return {(a.real() * ratio + a.imag()) / denominator, (a.imag() * ratio - a.real()) / denominator};
}

Complex whole_power(Complex base, int exponent) {  // by squaring, as Python does up to 100
  Complex result = 1;
  for (unsigned n = static_cast<unsigned>(std::abs(exponent)); n > 0; n >>= 1) {
    if ((n & 1) != 0) result = product(result, base);
    base = product(base, base);
  }
  return result;
}

Complex polar_power(Complex a, Complex b) {
  const double size = std::hypot(a.real(), a.imag()), angle = std::atan2(a.imag(), a.real());
  double length = std::pow(size, b.real()), phase = angle * b.real();
  if (b.imag() != 0) {
    length *= std::exp(-angle * b.imag());
    phase += b.imag() * std::log(size);
  }
  return {length * std::cos(phase), length * std::sin(phase)};
}

int compare_numbers(const Number& a, const Number& b) {  // neither is complex or NaN
  if (a.kind == Kind::kInt && b.kind == Kind::kInt)
    return a.small < b.small ? -1 : a.small > b.small;
  if (a.kind == Kind::kFloat && b.kind == Kind::kFloat) return a.re < b.re ? -1 : a.re > b.re;
  if (a.kind == Kind::kFloat) return -compare_numbers(b, a);
  if (b.kind != Kind::kFloat) return a.wide().compare(b.wide());
  if (std::isinf(b.re)) return b.re > 0 ? -1 : 1;
  const double whole = std::floor(b.re);
  const int order = a.wide().compare(BigInt(whole));
  return order == 0 && whole != b.re ? -1 : order;
}

}  // namespace

Number Number::integer(BigInt v) {
  if (v >= std::numeric_limits<std::int64_t>::min() &&
      v <= std::numeric_limits<std::int64_t>::max()) {
    return integer(static_cast<std::int64_t>(v));
  }
  return {.kind = Kind::kBig, .big = std::make_shared<const BigInt>(std::move(v))};
}

Number Number::integer(std::string_view digits, int base) {
  std::int64_t v = 0;
  const char* end = digits.data() + digits.size();
  if (std::from_chars(digits.data(), end, v, base).ec == std::errc()) return integer(v);
  BigInt wide = 0;
  for (const char c : digits) {
    const int digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
    wide = wide * base + digit;
  }
  return integer(std::move(wide));
}

bool equal(const Number& a, const Number& b) {
  if (a.kind == Kind::kComplex || b.kind == Kind::kComplex) {
    const auto real_part = [](const Number& v) {
      return v.kind == Kind::kComplex ? Number::real(v.re) : v;
    };
    return a.im == b.im && equal(real_part(a), real_part(b));
  }
  if (std::isnan(a.re) || std::isnan(b.re)) return false;
  return compare_numbers(a, b) == 0;
}

bool Arithmetic::spend(std::size_t bits_a, std::size_t bits_b) {
  work_ += (bits_a / 64 + 1) * (bits_b / 64 + 1);
  if (bits_a <= kMaxBits && bits_b <= kMaxBits && work_ <= kMaxWork) return true;
  fail(Event::kTooBig);
  return false;
}

double Arithmetic::to_float(const Number& a) {
  if (a.kind == Kind::kFloat) return a.re;
  if (a.kind == Kind::kInt) return static_cast<double>(a.small);
  const double v = a.kind == Kind::kBig ? nearest_double(*a.big) : 0;
  if (a.kind == Kind::kComplex || std::isinf(v)) fail(Event::kError);
  return v;
}

bool Arithmetic::is_smaller(const Number& a, double limit) {
  if (a.kind == Kind::kComplex) return std::hypot(a.re, a.im) < limit;
  if (a.kind == Kind::kBig) return false;
  return std::abs(a.kind == Kind::kInt ? static_cast<double>(a.small) : a.re) < limit;
}

Number Arithmetic::binary(std::string_view op, const Number& a, const Number& b) {
  if (event_ != Event::kNone) return {};
  if (op == "@") return fail(Event::kError);
  if (a.is_integer() && b.is_integer()) return integers(op, a, b);
  if (op == "<<" || op == ">>" || op == "&" || op == "|" || op == "^") return fail(Event::kError);
  if (a.kind == Kind::kComplex || b.kind == Kind::kComplex) return complexes(op, a, b);
  const double x = to_float(a), y = to_float(b);
  return event_ == Event::kNone ? floats(op, x, y) : Number();
}

Number Arithmetic::integers(std::string_view op, const Number& a, const Number& b) {
  if (op == "**") return power(a, b);
  if (op == "<<" || op == ">>") return shift(op, a, b);
  if (a.kind == Kind::kInt && b.kind == Kind::kInt) {
    const std::int64_t x = a.small, y = b.small;
    std::int64_t v = 0;
    constexpr std::int64_t kExact = std::int64_t{1} << 53;
    if (op == "+" && !__builtin_add_overflow(x, y, &v)) return Number::integer(v);
    if (op == "-" && !__builtin_sub_overflow(x, y, &v)) return Number::integer(v);
    if (op == "*" && !__builtin_mul_overflow(x, y, &v)) return Number::integer(v);
    if (op == "/" && y != 0 && x >= -kExact && x <= kExact && y >= -kExact && y <= kExact) {
      return Number::real(static_cast<double>(x) / static_cast<double>(y));
    }
    if (op == "//" && y > 0) return Number::integer(x / y - (x % y < 0 ? 1 : 0));
  }
  return wide_integers(op, a.wide(), b.wide());
}

Number Arithmetic::wide_integers(std::string_view op, const BigInt& a, const BigInt& b) {
  if (!spend(num_bits(a), num_bits(b))) return {};
  if (op == "+") return Number::integer(BigInt(a + b));
  if (op == "-") return Number::integer(BigInt(a - b));
  if (op == "*") {
    if (num_bits(a) + num_bits(b) > kMaxBits) return fail(Event::kTooBig);
    return Number::integer(BigInt(a * b));
  }
  if (op == "&") return Number::integer(BigInt(a & b));
  if (op == "|") return Number::integer(BigInt(a | b));
  if (op == "^") return Number::integer(BigInt(a ^ b));
  if (b == 0) return fail(Event::kError);
  if (op == "/") return divide(a, b);
  BigInt quotient, remainder;
  divide_qr(a, b, quotient, remainder);
  if (remainder != 0 && (remainder < 0) != (b < 0)) {
    remainder += b;
    quotient -= 1;
  }
  return Number::integer(op == "%" ? remainder : quotient);
}

// a / b, rounded once.
Number Arithmetic::divide(const BigInt& a, const BigInt& b) {
  const auto bits = [](const BigInt& v) { return static_cast<std::int64_t>(num_bits(v)); };
  const std::int64_t shift = 66 - (bits(a) - bits(b));
  BigInt top = a < 0 ? BigInt(-a) : a, bottom = b < 0 ? BigInt(-b) : b;
  (shift > 0 ? top : bottom) <<= static_cast<unsigned>(std::abs(shift));
  BigInt quotient, remainder;
  divide_qr(top, bottom, quotient, remainder);
  if (remainder != 0) quotient = (quotient << 1) | 1;  // sticky
  const double v =
      std::ldexp(nearest_double(quotient), static_cast<int>(-shift - (remainder != 0 ? 1 : 0)));
  if (std::isinf(v)) return fail(Event::kError);
  return Number::real((a < 0) != (b < 0) ? -v : v);
}

Number Arithmetic::power(const Number& a, const Number& b) {
  if (b.kind == Kind::kInt && b.small == 0) return Number::integer(1);
  const bool is_negative = b.kind == Kind::kBig ? *b.big < 0 : b.small < 0;
  if (is_negative) {
    const double x = to_float(a), y = to_float(b);
    return event_ == Event::kNone ? floats("**", x, y) : Number();
  }
  if (a.kind == Kind::kInt && a.small >= -1 && a.small <= 1) {
    const bool is_odd = (b.wide() & 1) != 0;
    return Number::integer(a.small == -1 && !is_odd ? 1 : a.small);
  }
  const BigInt base = a.wide();
  const std::size_t bits = num_bits(base);
  if (b.kind == Kind::kBig || b.small > static_cast<std::int64_t>(kMaxBits / (bits - 1))) {
    return fail(Event::kTooBig);
  }
  const std::size_t result_bits = bits * static_cast<std::size_t>(b.small);
  if (!spend(result_bits / 2, result_bits / 2)) return {};
  return Number::integer(BigInt(pow(base, static_cast<unsigned>(b.small))));
}

Number Arithmetic::shift(std::string_view op, const Number& a, const Number& b) {
  if (b.kind == Kind::kBig ? *b.big < 0 : b.small < 0) return fail(Event::kError);
  if (a.is_zero()) return a;
  const bool is_far = b.kind == Kind::kBig || b.small > static_cast<std::int64_t>(kMaxBits);
  const BigInt v = a.wide();
  if (op == ">>") {
    if (is_far) return Number::integer(v < 0 ? -1 : 0);
    const auto n = static_cast<unsigned>(b.small);
    return Number::integer(v < 0 ? BigInt(-((BigInt(-v) - 1) >> n) - 1) : BigInt(v >> n));
  }
  if (is_far || !spend(num_bits(v) + static_cast<std::size_t>(b.small), 0)) {
    return fail(Event::kTooBig);
  }
  return Number::integer(BigInt(v << static_cast<unsigned>(b.small)));
}

Number Arithmetic::floats(std::string_view op, double a, double b) {
  if (op == "+") return Number::real(a + b);
  if (op == "-") return Number::real(a - b);
  if (op == "*") return Number::real(a * b);
  if (op == "**") {
    if (a == 0 && b < 0) return fail(Event::kError);
    const bool is_finite = std::isfinite(a) && std::isfinite(b);
    if (a < 0 && is_finite && b != std::floor(b)) {
      return complexes("**", Number::real(a), Number::real(b));
    }
    const double v = std::pow(a, b);
    return is_finite && std::isinf(v) ? fail(Event::kError) : Number::real(v);
  }
  if (b == 0) return fail(Event::kError);
  if (op == "/") return Number::real(a / b);
  double remainder = 0;
  const double quotient = floor_divide(a, b, remainder);
  return Number::real(op == "%" ? remainder : quotient);
}

Number Arithmetic::complexes(std::string_view op, const Number& x, const Number& y) {
  if (op == "//" || op == "%") return fail(Event::kError);
  const Complex a = {x.kind == Kind::kComplex ? x.re : to_float(x), x.im};
  const Complex b = {y.kind == Kind::kComplex ? y.re : to_float(y), y.im};
  if (event_ != Event::kNone) return {};
  Complex v = op == "+" ? a + b : op == "-" ? a - b : product(a, b);
  if (op == "/") {
    if (b == 0.0) return fail(Event::kError);
    v = quotient(a, b);
  } else if (op == "**") {
    const bool is_small =
        b.imag() == 0 && b.real() == std::floor(b.real()) && std::abs(b.real()) <= 100;
    if (b == 0.0) {
      v = 1;
    } else if (a == 0.0 && (b.imag() != 0 || b.real() < 0)) {
      return fail(Event::kError);
    } else if (is_small) {
      v = whole_power(a, static_cast<int>(b.real()));
      if (b.real() < 0) v = quotient(1, v);
    } else {
      v = a == 0.0 ? 0 : polar_power(a, b);
    }
    if (std::isinf(v.real()) || std::isinf(v.imag())) return fail(Event::kError);
  }
  return Number::complex(v.real(), v.imag());
}

Number Arithmetic::negative(const Number& a) {
  if (a.kind == Kind::kFloat) return Number::real(-a.re);
  if (a.kind == Kind::kComplex) return Number::complex(-a.re, -a.im);
  return binary("-", Number::integer(0), a);
}

Number Arithmetic::invert(const Number& a) {
  if (!a.is_integer()) return fail(Event::kError);
  return binary("-", Number::integer(-1), a);
}

bool Arithmetic::compare(std::string_view op, const Number& a, const Number& b) {
  if (event_ != Event::kNone) return false;
  if (op == "==") return equal(a, b);
  if (op == "!=") return !equal(a, b);
  if (a.kind == Kind::kComplex || b.kind == Kind::kComplex) return fail(Event::kError), false;
  if (std::isnan(a.re) || std::isnan(b.re)) return false;
  const int order = compare_numbers(a, b);
  return op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0;
}

}  // namespace countdown
