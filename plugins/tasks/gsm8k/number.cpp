#include "number.h"

#include <algorithm>

namespace gsm8k {

namespace {

constexpr int kMaxDigits = 18;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Reads numbers off the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // To the next number; false at the end.
  bool find() {
    for (; at_ < text_.size(); ++at_) {
      if (!is_digit(peek()) && !(peek() == '.' && is_digit(peek(1)))) continue;
      if (at_ == 0 || !is_letter(text_[at_ - 1])) return true;
      while (is_digit(peek()) || is_letter(peek())) ++at_;  // the number of a word: x2
    }
    return false;
  }

  // The number found; nothing when it is unclear.
  std::optional<Number> read() {
    constexpr std::string_view kMinus = "\xE2\x88\x92";
    const std::string_view before = text_.substr(0, at_);
    const std::string_view unsigned_before =
        before.ends_with('$') ? before.substr(0, before.size() - 1) : before;
    Number out;
    out.is_negative = unsigned_before.ends_with('-') || unsigned_before.ends_with(kMinus);
    if (!whole(out.numerator)) return std::nullopt;
    if (peek() == '.' && is_digit(peek(1))) {
      ++at_;
      if (!fraction(out)) return std::nullopt;
    } else if (peek() == '/' && is_digit(peek(1))) {
      ++at_;
      if (!whole(out.denominator) || out.denominator == 0) return std::nullopt;
    }
    const char next = peek();
    const bool goes_on =
        ((next == '.' || next == ',' || next == '/') && is_digit(peek(1))) ||
        ((next == 'e' || next == 'E') && (is_digit(peek(1)) || peek(1) == '-' || peek(1) == '+'));
    return goes_on ? std::nullopt : std::optional(out);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  // Digits, in groups of three where there are commas.
  bool whole(std::uint64_t& value) {
    value = 0;
    num_digits_ = 0;
    std::size_t first = at_;
    while (is_digit(peek())) {
      if (!add(value)) return false;
    }
    if (at_ - first > 3) return true;
    while (at_ > first && peek() == ',' && is_digit(peek(1))) {
      first = ++at_;
      while (is_digit(peek())) {
        if (!add(value)) return false;
      }
      if (at_ - first != 3) return false;
    }
    return true;
  }
  // The digits behind the point; zeros at their end count for nothing.
  bool fraction(Number& out) {
    std::size_t num_zeros = 0;
    for (; is_digit(peek()); ++at_) {
      if (peek() == '0') {
        ++num_zeros;
        continue;
      }
      for (++num_zeros; num_zeros > 0; --num_zeros) {
        if (++num_digits_ > kMaxDigits || out.denominator >= 100'000'000'000'000'000) return false;
        out.numerator *= 10;
        out.denominator *= 10;
      }
      out.numerator += static_cast<std::uint64_t>(peek() - '0');
    }
    return true;
  }
  bool add(std::uint64_t& value) {
    if (value > 0 || peek() != '0') ++num_digits_;
    if (num_digits_ > kMaxDigits) return false;
    value = 10 * value + static_cast<std::uint64_t>(text_[at_++] - '0');
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int num_digits_ = 0;
};

}  // namespace

bool Number::operator==(const Number& other) const {
  __extension__ using Wide = unsigned __int128;  // two numbers of 18 digits
  if (Wide{numerator} * other.denominator != Wide{other.numerator} * denominator) return false;
  return is_negative == other.is_negative || numerator == 0;
}

std::optional<Number> only_number(std::string_view text) {
  std::optional<Number> out;
  for (Reader in(text); in.find();) {
    const auto number = in.read();
    if (!number || (out && !(*out == *number))) return std::nullopt;
    out = number;
  }
  return out;
}

}  // namespace gsm8k
