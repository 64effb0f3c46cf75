#pragma once

// Exact rational numbers of 64 bits: for verifiers that must not depend on rounding. What does not
// fit is never wrong, it is an overflow, which the caller sees and may compute again with more
// bits.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// A fraction in lowest terms, or one of two states without a value: undefined (something was
// divided by zero) and overflow. They pass through all operations, and equal nothing, not even
// themselves.
class Rational {
 public:
  constexpr Rational() = default;  // 0
  constexpr explicit Rational(std::int64_t whole) : num_(whole) {}
  constexpr Rational(std::int64_t num, std::int64_t den) { *this = reduce(num, den); }

  constexpr std::int64_t num() const { return num_; }
  constexpr std::int64_t den() const { return den_; }  // > 0 where there is a value
  constexpr bool is_valid() const { return den_ != 0; }
  constexpr bool is_undefined() const { return den_ == 0 && num_ == kUndefined; }
  constexpr bool is_overflow() const { return den_ == 0 && num_ == kOverflow; }
  constexpr bool is_whole() const { return den_ == 1; }

  friend constexpr Rational operator+(const Rational& a, const Rational& b) {
    if (a.den_ == 1 && b.den_ == 1) return reduce(Wide{a.num_} + b.num_, 1);
    return combine(a, b, Wide{a.num_} * b.den_ + Wide{b.num_} * a.den_, Wide{a.den_} * b.den_);
  }
  friend constexpr Rational operator-(const Rational& a, const Rational& b) {
    if (a.den_ == 1 && b.den_ == 1) return reduce(Wide{a.num_} - b.num_, 1);
    return combine(a, b, Wide{a.num_} * b.den_ - Wide{b.num_} * a.den_, Wide{a.den_} * b.den_);
  }
  friend constexpr Rational operator*(const Rational& a, const Rational& b) {
    return combine(a, b, Wide{a.num_} * b.num_, Wide{a.den_} * b.den_);
  }
  friend constexpr Rational operator/(const Rational& a, const Rational& b) {
    return combine(a, b, Wide{a.num_} * b.den_, Wide{a.den_} * b.num_);
  }
  friend constexpr bool operator==(const Rational& a, const Rational& b) {
    return a.is_valid() && a.num_ == b.num_ && a.den_ == b.den_;
  }
  friend constexpr bool operator<(const Rational& a, const Rational& b) {
    return a.is_valid() && b.is_valid() && Wide{a.num_} * b.den_ < Wide{b.num_} * a.den_;
  }

  // "12", "-3", "3/4", "-1.25", ".5": ASCII, nothing around it. Nothing for anything else, for a
  // denominator of 0, and for what does not fit.
  static std::optional<Rational> parse(std::string_view text) {
    const bool is_negative = text.starts_with('-');
    if (is_negative) text.remove_prefix(1);
    std::int64_t num = 0, den = 1;
    const auto split = text.find_first_of("./");
    const bool is_fraction = split != text.npos && text[split] == '/';
    const std::string_view head = text.substr(0, split);
    const std::string_view tail = split == text.npos ? "" : text.substr(split + 1);
    if (split != text.npos && tail.empty()) return std::nullopt;
    if ((!head.empty() || is_fraction || split == text.npos) && !read(head, num))
      return std::nullopt;
    if (is_fraction && (!read(tail, den) || den == 0)) return std::nullopt;
    Rational value(num, den);
    if (!is_fraction && !tail.empty()) {
      std::int64_t decimals = 0, scale = 1;
      if (tail.size() > 18 || !read(tail, decimals)) return std::nullopt;
      for (std::size_t i = 0; i < tail.size(); ++i) scale *= 10;
      value = value + Rational(decimals, scale);
    }
    if (is_negative) value = Rational() - value;
    if (!value.is_valid()) return std::nullopt;
    return value;
  }

  // "12" or "-3/4"; "undefined", "overflow".
  std::string text() const {
    if (!is_valid()) return is_overflow() ? "overflow" : "undefined";
    return std::to_string(num_) + (den_ == 1 ? "" : "/" + std::to_string(den_));
  }

 private:
  __extension__ using Wide = __int128;
  static constexpr std::int64_t kUndefined = 0, kOverflow = 1;

  static constexpr Rational nothing(std::int64_t why) {
    Rational out;
    out.num_ = why;
    out.den_ = 0;
    return out;
  }
  static constexpr Rational combine(const Rational& a, const Rational& b, Wide num, Wide den) {
    if (!a.is_valid()) return a;
    if (!b.is_valid()) return b;
    return reduce(num, den);
  }
  static constexpr Rational reduce(Wide num, Wide den) {
    if (den == 0) return nothing(kUndefined);
    if (den < 0) num = -num, den = -den;
    if (den != 1) {
      Wide a = num < 0 ? -num : num, b = den;
      while (b != 0) {
        const Wide rest = a % b;
        a = b;
        b = rest;
      }
      num /= a;
      den /= a;
    }
    constexpr Wide kMax = INT64_MAX;
    if (num > kMax || num < -kMax || den > kMax) return nothing(kOverflow);
    Rational out;
    out.num_ = static_cast<std::int64_t>(num);
    out.den_ = static_cast<std::int64_t>(den);
    return out;
  }
  static bool read(std::string_view digits, std::int64_t& out) {
    if (digits.empty() || digits[0] < '0' || digits[0] > '9') return false;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return ec == std::errc() && end == digits.data() + digits.size();
  }

  std::int64_t num_ = 0, den_ = 1;
};

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
