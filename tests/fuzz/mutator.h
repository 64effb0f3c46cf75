#pragma once

// Seeded random texts for verifiers: a right or nearly right answer in one of the frames that the
// rules look for, and then damage. Not thread-safe; the same seed gives the same texts on every
// machine.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qed::fuzz {

inline constexpr std::size_t kMaxBytes = 64 << 10;  // of one text

// What texts are made of.
struct Grammar {
  // Completions with `@` for the answer and `~` for a thought; each may stand there several times.
  std::vector<std::string_view> frames;
  std::vector<std::string_view> tokens;   // that mean something to a rule
  std::vector<std::string_view> joiners;  // between the words of an answer
  bool has_parentheses = false;           // around parts of an answer
};

class Mutator {
 public:
  explicit Mutator(const Grammar& grammar) : grammar_(grammar) {}

  void seed(std::uint64_t seed) { state_ = seed; }
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : next() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class List>
  auto pick(const List& list) {
    return list[below(list.size())];
  }

  // A frame around `right` or `wrong`, around `words` in any order, or around nonsense; then
  // damaged.
  std::string completion(std::string_view right, std::string_view wrong,
                         std::span<const std::string> words);
  // `text` with random edits; now and then with a very long run or deep nesting.
  std::string damaged(std::string text);
  // Digits, decimals, huge exponents, other bases and scripts.
  std::string number();

 private:
  std::uint64_t next();
  std::string answer(std::string_view right, std::string_view wrong,
                     std::span<const std::string> words);
  std::string expression(std::span<const std::string> words);
  std::string character();
  std::string piece(const std::string& text);  // a part of it, a token, a number or a character
  void edit(std::string& text);
  void blow_up(std::string& text);

  const Grammar& grammar_;
  std::uint64_t state_ = 0;
};

}  // namespace qed::fuzz
