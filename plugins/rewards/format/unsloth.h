#pragma once

// The solution in a completion, by the regular expressions of unsloth's second notebook.

#include "qed/unicode.h"

#include <optional>
#include <string_view>

inline constexpr std::string_view kUnslothTags[] = {"<end_working_out>", "<SOLUTION>",
                                                    "</SOLUTION>"};

// Whether `\s*(?:<|endoftext|>)?\s*$` with MULTILINE matches at the start of `rest`: a line ends
// after white space, and maybe the end token.
inline bool unsloth_ends_line(std::string_view rest) {
  constexpr std::string_view kEnd = "<|endoftext|>";
  const auto is_end = [](std::string_view text, std::string_view behind) {
    return behind.empty() || text.substr(0, text.size() - behind.size()).find('\n') != text.npos;
  };
  const std::string_view behind = qed::strip_left(rest);
  if (is_end(rest, behind)) return true;
  if (!behind.starts_with(kEnd)) return false;
  const std::string_view tail = behind.substr(kEnd.size());
  return is_end(tail, qed::strip_left(tail));
}

// The group of `<end_working_out>.*?<SOLUTION>(.+?)</SOLUTION>...`, with DOTALL.
inline std::optional<std::string_view> unsloth_solution(std::string_view text) {
  const auto& [thought, open, close] = kUnslothTags;
  auto at = text.find(thought);
  if (at == text.npos) return std::nullopt;
  at = text.find(open, at + thought.size());
  if (at == text.npos) return std::nullopt;
  const std::size_t begin = at + open.size();
  for (auto end = text.find(close, begin + 1); end != text.npos; end = text.find(close, end + 1)) {
    if (unsloth_ends_line(text.substr(end + close.size()))) return text.substr(begin, end - begin);
  }
  return std::nullopt;
}
