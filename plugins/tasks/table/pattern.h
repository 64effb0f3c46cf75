#pragma once

// A regular expression that matches in linear time: every state at once, no backtracking. Whatever
// the pattern and the text, a match takes at most (size of the pattern) x (length of the text)
// steps.
//
//   x  .  \.  \n \t  \d \w \s \D \W \S  [a-z0-9_]  [^...]  (...)  (?:...)  a|b  *  +  ?  {m} {m,}
//   {m,n}
//
// Characters are code points; . is any but a line break; \d \w \s are ASCII.

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

class Pattern {
 public:
  // Throws qed::Error (QED_DATA: patterns stand in rows) that says what is wrong at which
  // character.
  explicit Pattern(std::string_view text, bool ignore_case = false);

  // True when the whole of `text` matches. [any]
  bool matches(std::string_view text) const;

 private:
  friend class PatternParser;

  enum class Op : std::uint8_t { kSet, kSplit, kJump, kAccept };
  struct Step {
    Op op;
    std::uint32_t a = 0;  // kSet: index of its set; kSplit, kJump: where to go
    std::uint32_t b = 0;  // kSplit: the other way
  };
  struct Set {
    bool is_negated = false;
    std::vector<std::pair<char32_t, char32_t>> ranges;  // inclusive
    bool has(char32_t c) const;
  };

  void enter(std::uint32_t step, std::vector<std::uint32_t>& states,
             std::vector<std::uint32_t>& mark, std::uint32_t round) const;

  std::vector<Step> steps_;
  std::vector<Set> sets_;
  bool ignore_case_;
};
