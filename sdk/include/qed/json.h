#pragma once

// The JSON that a plugin needs: a reader for rows and items, the options of a component, and
// scalars and strings out.

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

// Reads JSON from front to back without building a tree: one call per value, in the order in which
// the values stand. Allocates only for strings with escapes. Throws Error (QED_DATA) that says what
// was expected and at which byte. Bounded: at most 200 levels of nesting in skip().
//
//   json::Reader in(blob);
//   in.object([&](std::string_view key) {
//     if (key == "target") target = in.integer();
//     else if (key == "nums") in.array([&] { nums.push_back(in.integer()); });
//     else in.skip();
//   });
//   in.finish();
class Reader {
 public:
  explicit Reader(std::string_view text)
      : begin_(text.data()), p_(begin_), end_(p_ + text.size()) {}

  // Calls f(key) for each member; f reads the value. `key` is valid until the value is read.
  template <class F>
  void object(F&& f) {
    expect('{');
    if (accept('}')) return;
    do {
      std::string unescaped;
      const std::string_view key = text(unescaped);
      expect(':');
      f(key);
    } while (accept(','));
    expect('}');
  }
  // Calls f() for each element; f reads it.
  template <class F>
  void array(F&& f) {
    expect('[');
    if (accept(']')) return;
    do f();
    while (accept(','));
    expect(']');
  }
  std::string string() {
    std::string unescaped;
    const std::string_view raw = text(unescaped);
    return unescaped.empty() ? std::string(raw) : unescaped;
  }
  // A string: the bytes themselves, or `unescaped` where it has escapes.
  std::string_view text(std::string& unescaped) {
    expect('"');
    const char* const begin = p_;
    while (p_ != end_ && *p_ != '"' && *p_ != '\\' && static_cast<unsigned char>(*p_) >= 0x20) ++p_;
    if (p_ != end_ && *p_ == '"') return {begin, static_cast<std::size_t>(p_++ - begin)};
    unescaped.assign(begin, p_);
    while (p_ != end_ && *p_ != '"') {
      if (static_cast<unsigned char>(*p_) < 0x20) bad("no control character in a string");
      if (*p_ != '\\') {
        unescaped += *p_++;
      } else {
        escape(unescaped);
      }
    }
    if (p_ == end_) bad("`\"`");
    ++p_;
    return unescaped;
  }
  std::int64_t integer() {
    skip_space();
    std::int64_t value = 0;
    const auto [after, ec] = std::from_chars(p_, end_, value);
    if (ec != std::errc() || (after != end_ && (*after == '.' || *after == 'e' || *after == 'E'))) {
      bad("an integer of 64 bits");
    }
    p_ = after;
    return value;
  }
  double number() {
    skip_space();
    double value = 0;
    const auto [after, ec] = std::from_chars(p_, end_, value);
    if (ec != std::errc() || !std::isfinite(value)) bad("a number");  // it takes "inf" and "nan"
    p_ = after;
    return value;
  }
  bool boolean() {
    skip_space();
    if (word("true")) return true;
    if (!word("false")) bad("true or false");
    return false;
  }
  // True when the next value is null, which is then read.
  bool null() {
    skip_space();
    return word("null");
  }
  // The first byte of the next value: { [ " t f n - or a digit; 0 at the end.
  char peek() {
    skip_space();
    return p_ == end_ ? '\0' : *p_;
  }
  // Passes over the next value, and returns its bytes.
  std::string_view skip() {
    peek();
    const char* const begin = p_;
    skip_value(0);
    return {begin, static_cast<std::size_t>(p_ - begin)};
  }
  // After the document: nothing may follow.
  void finish() {
    if (peek() != '\0') bad("the end");
  }

  [[noreturn]] void bad(const std::string& expected) const {
    throw Error("bad JSON at byte " + std::to_string(p_ - begin_ + 1) + ": expected " + expected,
                QED_DATA);
  }

 private:
  void skip_space() {
    while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\t' || *p_ == '\r')) ++p_;
  }
  bool accept(char c) { return peek() == c && p_ != end_ ? (++p_, true) : false; }
  void expect(char c) {
    if (!accept(c)) bad(std::string("`") + c + "`");
  }
  bool word(std::string_view w) {
    if (std::string_view(p_, static_cast<std::size_t>(end_ - p_)).substr(0, w.size()) != w) {
      return false;
    }
    p_ += w.size();
    return true;
  }
  void skip_value(int depth) {
    if (depth > 200) bad("less nesting");
    switch (peek()) {
      case '{':
        return object([&](std::string_view) { skip_value(depth + 1); });
      case '[':
        return array([&] { skip_value(depth + 1); });
      case '"':
        return void(string());
      case 't':
      case 'f':
        return void(boolean());
      case 'n':
        if (!null()) bad("null");
        return;
      default:
        number();
    }
  }

  unsigned hex4() {
    unsigned code = 0;
    if (end_ - p_ < 4 || std::from_chars(p_, p_ + 4, code, 16).ptr != p_ + 4)
      bad("four hex digits");
    p_ += 4;
    return code;
  }
  void escape(std::string& out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (++p_ == end_) bad("an escape");
    const char c = *p_++;
    if (const auto i = kFrom.find(c); i != kFrom.npos) {
      out += kTo[i];
      return;
    }
    if (c != 'u') bad("an escape");
    unsigned code = hex4();
    if (code >= 0xD800 && code < 0xDC00 && end_ - p_ >= 6 && p_[0] == '\\' && p_[1] == 'u') {
      p_ += 2;
      const unsigned low = hex4();
      if (low < 0xDC00 || low >= 0xE000) bad("the second half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xD800 && code < 0xE000) {
      bad("a whole surrogate pair");
    }
    append_utf8(out, code);
  }
  static void append_utf8(std::string& out, unsigned code) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | (code >> 6)), tail(0);
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0);
    } else {
      out += static_cast<char>(0xF0 | (code >> 18)), tail(12), tail(6), tail(0);
    }
  }

  const char* begin_;
  const char* p_;
  const char* end_;
};

// The options of a component: the canonical JSON of the host.
inline Object parse(std::string_view text) {
  Object out;
  Reader in(text);
  const auto member = [&](std::string_view key) {
    Value v;
    std::string name(key);
    if (const char c = in.peek(); c == '"') {
      v.text = in.string();
    } else if (c == 't' || c == 'f') {
      v.boolean = in.boolean();
    } else {
      if (c == '{' || c == '[' || c == 'n') in.bad("a scalar");
      const std::string_view digits = in.skip();
      std::from_chars(digits.data(), digits.data() + digits.size(), v.number);
      std::from_chars(digits.data(), digits.data() + digits.size(), v.integer);
    }
    out.add(std::move(name), std::move(v));
  };
  try {
    in.object(member);
    in.finish();
  } catch (const Error&) {
    throw Error("options are not a flat JSON object", QED_INVALID);
  }
  return out;
}

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
