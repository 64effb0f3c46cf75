#include "question.h"

#include "qed/error.h"
#include "qed/hash.h"

#include <algorithm>
#include <charconv>

namespace arithmetic {
namespace {

constexpr std::size_t kMaxText = 19;  // two numbers of nine digits: no overflow whatever the text

std::string digit(std::int64_t v) { return std::to_string(v); }

// "x+y+carry=CD," and so on from the units.
std::string add_columns(std::int64_t a, std::int64_t b) {
  std::string out;
  for (std::int64_t carry = 0; a > 0 || b > 0; a /= 10, b /= 10) {
    const std::int64_t x = a % 10, y = b % 10, column = x + y + carry;
    out += digit(x) + "+" + digit(y) + "+" + digit(carry) + "=" + digit(column / 10) +
           digit(column % 10) + ",";
    carry = column / 10;
  }
  return out;
}

// "x-y-borrow=BD,": B is 1 where ten was borrowed. a >= b.
std::string subtract_columns(std::int64_t a, std::int64_t b) {
  std::string out;
  for (std::int64_t borrow = 0; a > 0; a /= 10, b /= 10) {
    const std::int64_t x = a % 10, y = b % 10, next = x - y - borrow < 0 ? 1 : 0;
    out += digit(x) + "-" + digit(y) + "-" + digit(borrow) + "=" + digit(next) +
           digit(x - y - borrow + 10 * next) + ",";
    borrow = next;
  }
  return out;
}

// "x*d+carry=CD,".
std::string multiply_columns(std::int64_t a, std::int64_t d) {
  std::string out;
  for (std::int64_t carry = 0; a > 0; a /= 10) {
    const std::int64_t x = a % 10, column = x * d + carry;
    out += digit(x) + "*" + digit(d) + "+" + digit(carry) + "=" + digit(column / 10) +
           digit(column % 10) + ",";
    carry = column / 10;
  }
  return out;
}

std::string multiply_working(std::int64_t a, std::int64_t b) {
  std::string out;
  std::int64_t total = 0;
  for (std::int64_t scale = 1; b > 0 || scale == 1; b /= 10, scale *= 10) {
    const std::int64_t d = b % 10, part = a * d * scale;
    out += std::to_string(a) + "*" + digit(d) + ":" + multiply_columns(a, d) + "=" +
           std::to_string(a * d) + ";";
    if (scale > 1) {
      out += std::to_string(part) + "+" + std::to_string(total) + ":" + add_columns(part, total) +
             "=" + std::to_string(part + total) + ";";
    }
    total += part;
  }
  return out;
}

}  // namespace

std::string Question::key() const {
  if (op == '-') return text();
  return Question{std::min(a, b), std::max(a, b), op}.text();
}

std::string Question::result() const {
  return std::to_string(op == '+' ? a + b : op == '-' ? a - b : a * b);
}

bool Question::is_held_out() const { return qed::crc32(key()) % 5 == 0; }

Question parse_question(std::string_view text) {
  Question out;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&](std::int64_t& v) {
    const bool is_digit = at != end && *at >= '0' && *at <= '9';
    const char* const begin = at;
    if (is_digit) at = std::from_chars(at, end, v).ptr;
    return is_digit && at - begin <= 9;
  };
  if (text.size() <= kMaxText && number(out.a) && at != end) {
    out.op = *at++;
    const bool is_known = out.op == '+' || out.op == '-' || out.op == '*';
    if (is_known && number(out.b) && at == end) return out;
  }
  throw qed::Error("this is no item of the task");
}

std::string working(const Question& q) {
  if (q.op == '+') return add_columns(q.a, q.b) + "=" + q.result();
  if (q.op == '*') return multiply_working(q.a, q.b) + "=" + q.result();
  return (q.a < q.b ? "-," : "") + subtract_columns(std::max(q.a, q.b), std::min(q.a, q.b)) + "=" +
         q.result();
}

}  // namespace arithmetic
