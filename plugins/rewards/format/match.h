#pragma once

// Parts of a match: a rule that stands in its system as a regular expression is a few searches in
// the order of its literals here, which finds the same matches: a lazy `.*?` between two literals
// matches when the second literal comes somewhere after the first.

#include "qed/unicode.h"

#include <string_view>

// `$` of a regular expression at `at`: the end, or before a final line break; with MULTILINE before
// any line break.
inline bool is_end(std::string_view text, std::size_t at, bool multiline) {
  if (at == text.size()) return true;
  return text[at] == '\n' && (multiline || at + 1 == text.size());
}

// Passes `literal` at the start of `text`.
inline bool take(std::string_view& text, std::string_view literal) {
  if (!text.starts_with(literal)) return false;
  text.remove_prefix(literal.size());
  return true;
}

// Passes `.*?literal`; without `dotall` the part before the literal has no line break.
inline bool take_lazy(std::string_view& text, std::string_view literal, bool dotall) {
  const auto at = text.find(literal);
  if (at == std::string_view::npos ||
      (!dotall && text.substr(0, at).find('\n') != std::string_view::npos))
    return false;
  text.remove_prefix(at + literal.size());
  return true;
}

// Passes `.*?literal$`, at the first end that fits.
inline bool ends_lazy(std::string_view text, std::string_view literal, bool dotall,
                      bool multiline) {
  const std::size_t limit = dotall ? std::string_view::npos : text.find('\n');
  for (auto at = text.find(literal); at != std::string_view::npos && at <= limit;
       at = text.find(literal, at + 1)) {
    if (is_end(text, at + literal.size(), multiline)) return true;
  }
  return false;
}

// True when `.*?close\s*open` passes and `then` holds of the rest. The first place that fits
// decides unless white space with a line break may stand between the tags where `.` takes none:
// such a place, the last of its line, is tried too.
template <class Then>
bool joined(std::string_view text, std::string_view close, std::string_view open, bool dotall,
            Then&& then) {
  const std::size_t limit = dotall ? std::string_view::npos : text.find('\n');
  bool is_first = true;
  for (auto at = text.find(close); at != std::string_view::npos && at <= limit;
       at = text.find(close, at + 1)) {
    const std::string_view gap = text.substr(at + close.size());
    std::string_view rest = qed::strip_left(gap);
    const std::string_view space = gap.substr(0, gap.size() - rest.size());
    if (!take(rest, open)) continue;
    if (is_first || space.find('\n') != std::string_view::npos) {
      if (then(rest)) return true;
      if (dotall) return false;
    }
    is_first = false;
  }
  return false;
}
