#pragma once

// Text as Python's str sees it, over UTF-8: many published rules are Python, and their \s, \d,
// int(), strip(), isdigit(), lower() and len() follow Unicode.
//
// Text must be valid UTF-8, as what a host hands to verify is; other bytes are read as some
// character, never past the end. All functions are pure; only lower and canonical_int may allocate.

#include "qed/unicode_tables.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// Takes the first character off `rest`, which must not be empty.
constexpr char32_t next_char(std::string_view& rest) {
  const auto at = [&](std::size_t i) -> char32_t { return static_cast<unsigned char>(rest[i]); };
  const char32_t first = at(0);
  std::size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  size = std::min(size, rest.size());
  char32_t code = size == 1 ? first : first & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) code = (code << 6) | (at(i) & 0x3F);
  rest.remove_prefix(size);
  return code;
}

// Takes the last character off `rest`, which must not be empty.
constexpr char32_t last_char(std::string_view& rest) {
  std::size_t size = 1;
  while (size < 4 && size < rest.size() && (rest[rest.size() - size] & 0xC0) == 0x80) ++size;
  std::string_view tail = rest.substr(rest.size() - size);
  rest.remove_suffix(size);
  return next_char(tail);
}

// len(text): the number of code points.
constexpr std::size_t length(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) n += (c & 0xC0) != 0x80 ? 1 : 0;
  return n;
}

// str.isspace, and \s of a regular expression.
constexpr bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x9 && c <= 0xD) || (c >= 0x1C && c <= 0x1F);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

// The value of a decimal digit of any script (\d, and what int() reads), else -1.
constexpr int decimal(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9' ? static_cast<int>(c - '0') : -1;
  const auto* zero = std::upper_bound(std::begin(unicode::kZeros), std::end(unicode::kZeros), c);
  return zero != std::begin(unicode::kZeros) && c - zero[-1] < 10 ? static_cast<int>(c - zero[-1])
                                                                  : -1;
}

// str.isdigit of one character: decimals, and superscripts and the like.
constexpr bool is_digit(char32_t c) {
  if (decimal(c) >= 0) return true;
  return std::any_of(std::begin(unicode::kOtherDigits), std::end(unicode::kOtherDigits),
                     [c](const auto& range) { return c >= range.first && c <= range.last; });
}
// str.isdigit: not empty, and digits only.
constexpr bool is_digits(std::string_view text) {
  if (text.empty()) return false;
  while (!text.empty()) {
    if (!is_digit(next_char(text))) return false;
  }
  return true;
}

// str.lstrip, str.rstrip, str.strip.
constexpr std::string_view strip_left(std::string_view text) {
  for (std::string_view rest = text; !rest.empty(); text = rest) {
    if (!is_space(next_char(rest))) break;
  }
  return text;
}
constexpr std::string_view strip_right(std::string_view text) {
  for (std::string_view rest = text; !rest.empty(); text = rest) {
    if (!is_space(last_char(rest))) break;
  }
  return text;
}
constexpr std::string_view strip(std::string_view text) { return strip_right(strip_left(text)); }

// The words of str.split(), one by one: takes the next off `rest`; empty when there is none.
constexpr std::string_view next_word(std::string_view& rest) {
  const std::string_view from = rest = strip_left(rest);
  while (!rest.empty()) {
    std::string_view after = rest;
    if (is_space(next_char(after))) break;
    rest = after;
  }
  return from.substr(0, from.size() - rest.size());
}

namespace unicode {
constexpr char32_t lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  const auto* run = std::upper_bound(std::begin(kLower), std::end(kLower), c,
                                     [](char32_t v, const LowerRun& r) { return v < r.first; });
  if (run == std::begin(kLower)) return c;
  --run;
  const auto step = static_cast<char32_t>(run->step);
  if (c > run->last || (c - run->first) % step != 0) return c;
  return static_cast<char32_t>(static_cast<std::int32_t>(c) + run->delta);
}
}  // namespace unicode

inline void append_char(std::string& out, char32_t c) {
  const auto byte = [&](char32_t v) { out += static_cast<char>(v); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xC0 | (c >> 6));
  } else {
    if (c < 0x10000) {
      byte(0xE0 | (c >> 12));
    } else {
      byte(0xF0 | (c >> 18)), byte(0x80 | ((c >> 12) & 0x3F));
    }
    byte(0x80 | ((c >> 6) & 0x3F));
  }
  byte(0x80 | (c & 0x3F));
}

// str.lower, but for one rule: capital sigma is always made U+03C3, also at the end of a word.
inline std::string lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char32_t c = next_char(text);
    if (c == 0x130) {
      out += "i\xCC\x87";  // the one character that becomes two
    } else {
      append_char(out, unicode::lower(c));
    }
  }
  return out;
}

// int(text) as "-12": no leading zeros, no "-0"; nothing where Python raises ValueError. Takes what
// int() takes: space around, a sign, digits of any script, single underscores between digits, and
// at most 4300 digits.
inline std::optional<std::string> canonical_int(std::string_view text) {
  constexpr std::size_t kMaxDigits = 4300;
  const auto is_margin = [](char32_t c) {  // the ASCII separators 0x1C to 0x1F are none
    return is_space(c) && (c < 0x1C || c > 0x1F);
  };
  for (std::string_view rest = text; !rest.empty() && is_margin(next_char(rest));) text = rest;
  for (std::string_view rest = text; !rest.empty() && is_margin(last_char(rest));) text = rest;
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  std::string out(is_negative ? "-" : "");
  std::size_t num_digits = 0;
  bool after_digit = false;
  while (!text.empty()) {
    const char32_t c = next_char(text);
    const int digit = decimal(c);
    if (digit < 0 && (c != '_' || !after_digit)) return std::nullopt;
    after_digit = digit >= 0;
    if (!after_digit) continue;
    if (++num_digits > kMaxDigits) return std::nullopt;
    if (digit > 0 || out.size() > (is_negative ? 1 : 0)) out += static_cast<char>('0' + digit);
  }
  if (!after_digit) return std::nullopt;
  if (out.size() == (is_negative ? 1 : 0)) return "0";
  return out;
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
