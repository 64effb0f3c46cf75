#pragma once

// Words of a text as Python's regular expressions see them: \w, \s, \b, and letters without regard
// to case.

#include "qed/unicode.h"

#include "word_chars.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace knights {

// The bytes of ASCII that are \w.
inline constexpr auto kIsWordByte = [] {
  std::array<bool, 256> out{};
  for (char32_t c = 0; c < 0x80; ++c) out[c] = is_word(c);
  return out;
}();

// Where the characters from `at` on stop being \w, or stop being others.
inline std::size_t run_end(std::string_view text, std::size_t at, bool are_word) {
  while (at < text.size()) {
    if (const auto byte = static_cast<unsigned char>(text[at]); byte < 0x80) {
      if (kIsWordByte[byte] != are_word) break;
      ++at;
    } else {
      std::string_view rest = text.substr(at);
      if (is_word(qed::next_char(rest)) != are_word) break;
      at = text.size() - rest.size();
    }
  }
  return at;
}

// Takes the run of \w characters at the front of `rest` off it; empty when there is none.
inline std::string_view take_run(std::string_view& rest) {
  const std::string_view run = rest.substr(0, run_end(rest, 0, true));
  rest.remove_prefix(run.size());
  return run;
}
// The same for the next run, wherever it begins.
inline std::string_view next_run(std::string_view& rest) {
  rest.remove_prefix(run_end(rest, 0, false));
  return take_run(rest);
}

// The letter that re.IGNORECASE takes `c` for, if it is an English one.
inline char32_t fold(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  return c == 0x130 || c == 0x131 ? U'i' : c == 0x17F ? U's' : c == 0x212A ? U'k' : c;
}

inline bool is_letter(char32_t c) {
  const char32_t low = fold(c);
  return low >= 'a' && low <= 'z';
}

inline bool equal_fold(std::string_view a, std::string_view b) {
  if (a == b) return true;
  while (!a.empty() && !b.empty()) {
    const auto x = static_cast<unsigned char>(a[0]), y = static_cast<unsigned char>(b[0]);
    if ((x | y) < 0x80) {
      if (fold(x) != fold(y)) return false;
      a.remove_prefix(1);
      b.remove_prefix(1);
    } else if (fold(qed::next_char(a)) != fold(qed::next_char(b))) {
      return false;
    }
  }
  return a.empty() && b.empty();
}

// Takes \s+ off `rest`; false when there is none.
inline bool skip_spaces(std::string_view& rest) {
  std::size_t n = 0;
  while (n < rest.size() && (rest[n] == ' ' || rest[n] == '\n')) ++n;
  std::string_view after = rest.substr(n);
  if (!after.empty() && !(after[0] > ' ')) after = qed::strip_left(after);  // the rarer ones
  const bool is_any = after.size() < rest.size();
  rest = after;
  return is_any;
}

}  // namespace knights
