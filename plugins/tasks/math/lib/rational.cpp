#include "rational.h"

#include <bit>
#include <numeric>

namespace math {

namespace {

using boost::multiprecision::abs;
using boost::multiprecision::gcd;

// Of |x|, from its limbs: msb would need a copy of what is below zero.
std::uint64_t bits(const BigInt& x) {
  const auto& limbs = x.backend();
  constexpr std::uint64_t kLimb = 64;
  static_assert(sizeof(*limbs.limbs()) * 8 == kLimb);
  return kLimb * (limbs.size() - 1) +
         static_cast<std::uint64_t>(std::bit_width(limbs.limbs()[limbs.size() - 1]));
}

std::optional<std::int64_t> small(const BigInt& x) {
  return bits(x) > 62 ? std::nullopt : std::optional(static_cast<std::int64_t>(x));
}

// Limbs of both together: what an operation on them costs grows with the square.
bool spend(std::uint64_t num_bits, Budget& budget) {
  const std::uint64_t limbs = num_bits / 64 + 1;
  return budget.spend(2 + limbs * limbs / 4);
}

std::optional<Rational> reduced(BigInt num, BigInt den, Budget& budget) {
  if (den.is_zero()) return std::nullopt;
  if (den == 1) {
    if (bits(num) > kMaxBits) return std::nullopt;
    return Rational{std::move(num), 1};
  }
  const std::uint64_t size = std::max(bits(num), bits(den));
  if (size > 2 * kMaxBits || !spend(2 * size, budget)) return std::nullopt;
  if (den.sign() < 0) num = -num, den = -den;
  if (size < 64) {
    const auto n = static_cast<std::int64_t>(num), d = static_cast<std::int64_t>(den);
    const std::int64_t common = std::gcd(n, d);
    return Rational{n / common, d / common};
  }
  const BigInt common = gcd(num, den);
  if (common != 1) num /= common, den /= common;
  if (bits(num) > kMaxBits || bits(den) > kMaxBits) return std::nullopt;
  return Rational{std::move(num), std::move(den)};
}

bool spend(const Rational& a, const Rational& b, Budget& budget) {
  if (a.den == 1 && b.den == 1) return spend(bits(a.num) + bits(b.num), budget);
  return spend(bits(a.num) + bits(b.num) + bits(a.den) + bits(b.den), budget);
}

// The whole k-th root of x, where there is one.
std::optional<BigInt> whole_root(const BigInt& x, unsigned k, Budget& budget) {
  if (x.sign() < 0) return std::nullopt;
  if (x <= 1 || k == 1) return x;
  const std::uint64_t size = bits(x);
  if (size > 256) return std::nullopt;
  BigInt low = 1, high = BigInt(1) << (size / k + 1);
  while (low <= high) {
    if (!budget.spend(8)) return std::nullopt;
    const BigInt middle = (low + high) >> 1;
    const BigInt value = boost::multiprecision::pow(middle, k);
    if (value == x) return middle;
    if (value < x) {
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Rational> add(const Rational& a, const Rational& b, Budget& budget) {
  if (!spend(a, b, budget)) return std::nullopt;
  if (a.den == 1 && b.den == 1) return reduced(a.num + b.num, 1, budget);
  return reduced(a.num * b.den + b.num * a.den, a.den * b.den, budget);
}

std::optional<Rational> multiply(const Rational& a, const Rational& b, Budget& budget) {
  if (!spend(a, b, budget)) return std::nullopt;
  return reduced(a.num * b.num, a.den * b.den, budget);
}

std::optional<Rational> divide(const Rational& a, const Rational& b, Budget& budget) {
  if (b.is_zero() || !spend(a, b, budget)) return std::nullopt;
  return reduced(a.num * b.den, a.den * b.num, budget);
}

std::optional<Rational> power(const Rational& base, const Rational& exponent, Budget& budget) {
  constexpr unsigned kMaxRoot = 64;
  const auto n = small(exponent.num), k = small(exponent.den);
  if (!n || !k || *k > kMaxRoot) return std::nullopt;
  if (base.is_zero()) {
    if (*n <= 0) return std::nullopt;
    return base;
  }
  Rational root = base;
  if (*k > 1) {
    const auto num = whole_root(base.num, static_cast<unsigned>(*k), budget);
    const auto den = whole_root(base.den, static_cast<unsigned>(*k), budget);
    if (!num || !den) return std::nullopt;
    root = {*num, *den};
  }
  const std::uint64_t times = static_cast<std::uint64_t>(*n < 0 ? -*n : *n);
  const std::uint64_t size = std::max(bits(root.num), bits(root.den));
  if (size > 1 && (times > kMaxBits || size * times > kMaxBits + times)) return std::nullopt;
  if (!spend(size * std::min<std::uint64_t>(times, kMaxBits), budget)) return std::nullopt;
  const auto count = static_cast<unsigned>(size > 1 ? times : times % 2);
  BigInt num = count == 1 ? root.num : boost::multiprecision::pow(root.num, count);
  BigInt den = count == 1 ? root.den : boost::multiprecision::pow(root.den, count);
  if (bits(num) > kMaxBits || bits(den) > kMaxBits) return std::nullopt;
  if (*n < 0) {
    std::swap(num, den);
    if (den.sign() < 0) num = -num, den = -den;
  }
  return Rational{std::move(num), std::move(den)};
}

Rational negate(Rational a) {
  a.num = -a.num;
  return a;
}

int compare(const Rational& a, const Rational& b) {
  if (a.den == b.den) return a.num.compare(b.num);
  const BigInt left = a.num * b.den, right = b.num * a.den;
  return left.compare(right);
}

std::optional<Rational> parse_decimal(std::string_view text) {
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  BigInt num = 0, den = 1;
  bool has_point = false, has_digit = false;
  std::uint64_t chunk = 0, scale = 1, below = 1;
  const auto flush = [&] {
    num = num.is_zero() ? BigInt(chunk) : BigInt(num * scale + chunk);
    if (below != 1) den *= below;
    chunk = 0, scale = 1, below = 1;
  };
  for (const char c : text) {
    if (c == '.') {
      if (has_point) return std::nullopt;
      has_point = true;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    has_digit = true;
    chunk = chunk * 10 + static_cast<std::uint64_t>(c - '0');
    scale *= 10;
    if (has_point) below *= 10;
    if (scale >= 1'000'000'000'000'000'000u) flush();
  }
  if (!has_digit) return std::nullopt;
  flush();
  Budget budget;
  return reduced(std::move(num), std::move(den), budget);
}

std::optional<Rational> scale_by_ten(const Rational& x, std::int64_t exponent, Budget& budget) {
  const auto ten = power({10, 1}, {exponent, 1}, budget);
  if (!ten) return std::nullopt;
  return multiply(x, *ten, budget);
}

std::optional<std::int64_t> small_whole(const Rational& x) {
  return x.den == 1 ? small(x.num) : std::nullopt;
}

std::string text_of(const Rational& x) {
  std::string out = x.num.sign() < 0 ? "-" : "";
  const auto append = [&out](const BigInt& value) {
    if (bits(value) <= 64) {
      out += std::to_string(static_cast<std::uint64_t>(value));
    } else {
      out += "0x" + value.str(0, std::ios_base::hex);
    }
  };
  append(abs(x.num));
  if (x.den != 1) {
    out += '/';
    append(x.den);
  }
  return out;
}

}  // namespace math
