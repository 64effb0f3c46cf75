#pragma once

// Numbers as Python has them: integers without bound, floats, complex numbers. Only with them do
// the published rules, which call Python's eval, come out exactly.
//
// Work is bounded where Python's is not: an integer may have kMaxBits bits, and one Arithmetic
// spends at most kMaxWork products of machine words. What needs more is Event::kTooBig.

#include <boost/multiprecision/cpp_int.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace countdown {

using BigInt = boost::multiprecision::cpp_int;

inline constexpr std::size_t kMaxBits = 1 << 17;
inline constexpr std::uint64_t kMaxWork = 1 << 25;

// Why there is no value.
enum class Event : std::uint8_t {
  kNone,
  kError,   // Python raises an exception
  kTooBig,  // Python would work for long, or run out of memory
};

struct Number {
  enum class Kind : std::uint8_t { kInt, kBig, kFloat, kComplex };

  Kind kind = Kind::kInt;
  std::int64_t small = 0;                  // kInt
  double re = 0, im = 0;                   // kFloat (re), kComplex
  std::shared_ptr<const BigInt> big = {};  // kBig: an integer that does not fit in `small`

  static Number integer(std::int64_t v) { return {.small = v}; }
  static Number integer(BigInt v);
  // Digits without sign or underscores, at least one.
  static Number integer(std::string_view digits, int base = 10);
  static Number real(double v) { return {.kind = Kind::kFloat, .re = v}; }
  static Number complex(double re, double im) {
    return {.kind = Kind::kComplex, .re = re, .im = im};
  }

  bool is_integer() const { return kind == Kind::kInt || kind == Kind::kBig; }
  bool is_zero() const {
    return kind == Kind::kInt ? small == 0 : kind != Kind::kBig && re == 0 && im == 0;
  }
  BigInt wide() const { return kind == Kind::kBig ? *big : BigInt(small); }  // of an integer
};

// a == b, exactly, also between integers and floats.
bool equal(const Number& a, const Number& b);

// The operators of Python, by its symbols. Once something failed,
// event() says what, and all results are void.
class Arithmetic {
 public:
  Number binary(std::string_view op, const Number& a, const Number& b);
  Number negative(const Number& a);
  Number invert(const Number& a);  // ~a
  // "<", "<=", ">", ">=", "==", "!=".
  bool compare(std::string_view op, const Number& a, const Number& b);
  // float(a); kError for what Python's float() refuses.
  double to_float(const Number& a);
  // abs(a) < limit.
  bool is_smaller(const Number& a, double limit);

  Event event() const { return event_; }
  void set_event(Event event) { event_ = event; }

 private:
  Number fail(Event event) {
    if (event_ == Event::kNone) event_ = event;
    return {};
  }
  bool spend(std::size_t bits_a, std::size_t bits_b);  // false: too much
  Number integers(std::string_view op, const Number& a, const Number& b);
  Number wide_integers(std::string_view op, const BigInt& a, const BigInt& b);
  Number divide(const BigInt& a, const BigInt& b);
  Number power(const Number& a, const Number& b);
  Number shift(std::string_view op, const Number& a, const Number& b);
  Number floats(std::string_view op, double a, double b);
  Number complexes(std::string_view op, const Number& a, const Number& b);

  Event event_ = Event::kNone;
  std::uint64_t work_ = 0;
};

}  // namespace countdown
