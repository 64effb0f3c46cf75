#include "strict.h"

#include "qed/error.h"
#include "qed/rational.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace countdown {
namespace {

constexpr int kMaxParentheses = 200;
constexpr std::size_t kMaxNumbers = 256;

using BigRational = boost::multiprecision::cpp_rational;

// What a division by zero leaves behind.
struct Exact {
  BigRational value;
  bool is_defined = true;
};
Exact operator+(const Exact& a, const Exact& b) {
  return {a.value + b.value, a.is_defined && b.is_defined};
}
Exact operator-(const Exact& a, const Exact& b) {
  return {a.value - b.value, a.is_defined && b.is_defined};
}
Exact operator*(const Exact& a, const Exact& b) {
  return {a.value * b.value, a.is_defined && b.is_defined};
}
Exact operator/(const Exact& a, const Exact& b) {
  if (b.value == 0) return {0, false};
  return {a.value / b.value, a.is_defined && b.is_defined};
}
Exact make(std::int64_t v, const Exact*) { return {v, true}; }
qed::Rational make(std::int64_t v, const qed::Rational*) { return qed::Rational(v); }

// Recursive descent over T, a field. The numbers read are listed in the order of the text.
template <class T>
class Parser {
 public:
  explicit Parser(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  std::optional<T> run() {
    const T value = sum();
    if (at_ != end_) is_bad_ = true;
    if (is_bad_) return std::nullopt;
    return value;
  }
  std::int64_t* numbers() { return numbers_; }
  std::size_t num_numbers() const { return num_numbers_; }

 private:
  char peek() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t')) ++at_;
    return at_ == end_ ? '\0' : *at_;
  }
  T sum() {
    T value = product();
    for (char c = peek(); c == '+' || c == '-'; c = peek()) {
      ++at_;
      const T next = product();
      value = c == '+' ? value + next : value - next;
    }
    return value;
  }
  T product() {
    T value = operand();
    for (char c = peek(); c == '*' || c == '/'; c = peek()) {
      ++at_;
      const T next = operand();
      value = c == '*' ? value * next : value / next;
    }
    return value;
  }
  T operand() {
    if (peek() == '(' && depth_ < kMaxParentheses) {
      ++at_, ++depth_;
      T value = sum();
      if (peek() != ')') return bad();
      ++at_, --depth_;
      return value;
    }
    if (peek() < '0' || peek() > '9' || num_numbers_ == kMaxNumbers) return bad();
    const bool is_zero = *at_ == '0';
    std::int64_t v = 0;
    const auto [after, ec] = std::from_chars(at_, end_, v);
    if (ec != std::errc() || (is_zero && after - at_ > 1)) return bad();
    at_ = after;
    numbers_[num_numbers_++] = v;
    return make(v, static_cast<const T*>(nullptr));
  }
  T bad() {
    is_bad_ = true;
    at_ = end_;
    return make(0, static_cast<const T*>(nullptr));
  }

  const char* at_;
  const char* end_;
  int depth_ = 0;
  bool is_bad_ = false;
  std::int64_t numbers_[kMaxNumbers];
  std::size_t num_numbers_ = 0;
};

bool equals(const qed::Rational& value, std::int64_t target) {
  return value == qed::Rational(target);
}

}  // namespace

std::string_view describe(StrictResult result) {
  switch (result) {
    case StrictResult::kRight:
      return "right";
    case StrictResult::kWrongValue:
      return "wrong value";
    case StrictResult::kOtherNumbers:
      return "other numbers";
    case StrictResult::kNoEquation:
      return "no equation";
  }
  return "";
}

StrictResult check_equation(std::string_view equation, const Puzzle& puzzle) {
  if (!puzzle.wide.empty() || puzzle.target.kind != Number::Kind::kInt || puzzle.target_is_text) {
    throw qed::Error("`strict` needs a target and numbers that are integers of 64 bits");
  }
  Parser<qed::Rational> parser(equation);
  const auto value = parser.run();
  if (!value) return StrictResult::kNoEquation;
  std::int64_t* const numbers = parser.numbers();
  std::sort(numbers, numbers + parser.num_numbers());
  if (!std::equal(numbers, numbers + parser.num_numbers(), puzzle.nums.begin(),
                  puzzle.nums.end())) {
    return StrictResult::kOtherNumbers;
  }
  const std::int64_t target = puzzle.target.small;
  bool is_right = equals(*value, target);
  if (value->is_overflow()) {  // the same again, without bound
    const auto exact = Parser<Exact>(equation).run();
    is_right = exact && exact->is_defined && exact->value == target;
  }
  return is_right ? StrictResult::kRight : StrictResult::kWrongValue;
}

}  // namespace countdown
