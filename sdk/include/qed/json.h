#pragma once

// The little JSON that a plugin needs without a library: flat objects of scalars in, scalars and
// strings out. A plugin with richer data may bring a library of its own.

#include "qed/error.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {
namespace json {

struct Value {
  double number = 0;         // numbers
  std::int64_t integer = 0;  // numbers without fraction or exponent
  bool boolean = false;
  std::string text;  // strings
};

class Object {
 public:
  const Value* find(std::string_view name) const {
    for (const auto& [key, value] : members_) {
      if (key == name) return &value;
    }
    return nullptr;
  }
  void add(std::string name, Value value) {
    members_.emplace_back(std::move(name), std::move(value));
  }

 private:
  std::vector<std::pair<std::string, Value>> members_;
};

namespace detail {

// Reads the canonical JSON of the host: one object, scalar members, UTF-8.
class Parser {
 public:
  explicit Parser(std::string_view text) : p_(text.data()), end_(p_ + text.size()) {}

  Object document() {
    Object out = object();
    skip_space();
    if (p_ != end_) bad();
    return out;
  }

 private:
  Object object() {
    Object out;
    expect('{');
    if (accept('}')) return out;
    do {
      std::string name = string();
      expect(':');
      out.add(std::move(name), value());
    } while (accept(','));
    expect('}');
    return out;
  }

  [[noreturn]] static void bad() { throw Error("options are not a flat JSON object", QED_INVALID); }
  void skip_space() {
    while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\t' || *p_ == '\r')) ++p_;
  }
  char peek() {
    skip_space();
    if (p_ == end_) bad();
    return *p_;
  }
  bool accept(char c) { return peek() == c ? (++p_, true) : false; }
  void expect(char c) {
    if (!accept(c)) bad();
  }
  bool word(std::string_view w) {
    if (std::string_view(p_, end_ - p_).substr(0, w.size()) != w) return false;
    p_ += w.size();
    return true;
  }

  Value value() {
    Value v;
    if (peek() == '"') {
      v.text = string();
    } else if (word("true")) {
      v.boolean = true;
    } else if (!word("false")) {
      const auto [after, ec] = std::from_chars(p_, end_, v.number);
      if (ec != std::errc() || !std::isfinite(v.number)) bad();  // from_chars takes "inf" and "nan"
      std::from_chars(p_, after, v.integer);
      p_ = after;
    }
    return v;
  }

  std::string string() {
    expect('"');
    std::string out;
    while (p_ != end_ && *p_ != '"') {
      if (*p_ != '\\') {
        out += *p_++;
      } else if (p_ + 1 != end_) {
        ++p_;
        escape(out);
      } else {
        bad();
      }
    }
    if (p_ == end_) bad();
    ++p_;
    return out;
  }

  void escape(std::string& out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    const char c = *p_++;
    if (const auto i = kFrom.find(c); i != kFrom.npos) {
      out += kTo[i];
    } else {  // the host escapes control characters only, so a \u is below 0x80
      unsigned code = 0;
      if (c != 'u' || end_ - p_ < 4) bad();
      if (std::from_chars(p_, p_ + 4, code, 16).ptr != p_ + 4 || code >= 0x80) bad();
      out += static_cast<char>(code);
      p_ += 4;
    }
  }

  const char* p_;
  const char* end_;
};

}  // namespace detail

inline Object parse(std::string_view text) { return detail::Parser(text).document(); }

inline std::string write(bool v) { return v ? "true" : "false"; }
inline std::string write(std::int64_t v) { return std::to_string(v); }
inline std::string write(double v) {
  if (!std::isfinite(v)) throw Error("JSON has no infinity and no NaN", QED_INTERNAL);
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr};
}
inline std::string write(std::string_view v) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : v) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (byte < 0x20) {
      ((out += "\\u00") += kHex[byte >> 4]) += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out += '"';
}
inline std::string write(const std::string& v) { return write(std::string_view(v)); }
inline std::string write(const char* v) { return write(std::string_view(v)); }  // not bool

}  // namespace json
}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
