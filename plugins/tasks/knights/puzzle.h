#pragma once

// A puzzle of knights and knaves as logic: who says what. Names and words are in wording.h.
//
// Grammar and distribution: mem-kk-logic's generator at depth 2. Depth 1 has no puzzle with one
// solution (turning everybody over gives another), and deeper statements have no wording.

#include "qed/philox.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace knights {

inline constexpr std::size_t kMaxPeople = 8;
inline constexpr std::size_t kMaxParts = 4;  // of `and` and `or`

// `person` is a knight, or a knave.
struct Leaf {
  std::uint8_t person = 0;
  bool is_knave = false;
  friend bool operator==(const Leaf&, const Leaf&) = default;
};

enum class Op : std::uint8_t { kLeaf, kNot, kAnd, kOr, kIf, kIff };

struct Statement {
  Op op = Op::kLeaf;
  std::uint8_t size = 0;  // parts in use; all others are Leaf{}
  std::array<Leaf, kMaxParts> parts = {};
  friend bool operator==(const Statement&, const Statement&) = default;
};

struct Puzzle {
  std::size_t size = 0;  // people, 2 to kMaxPeople
  std::array<Statement, kMaxPeople> says = {};
};

// A set of worlds, one bit each: in world w, person i is a knight when bit i of w is 1.
struct Worlds {
  std::array<std::uint64_t, 4> bits = {};

  Worlds operator~() const;
  Worlds operator&(const Worlds& o) const;
  Worlds operator|(const Worlds& o) const;
  Worlds operator^(const Worlds& o) const;
  bool is_empty() const;
  bool is_single() const;
  unsigned first() const;  // the lowest world; the set must not be empty
};

Worlds all_worlds(std::size_t people);  // those beyond the people are knaves
Worlds where_knight(std::size_t person);
Worlds where_true(const Statement& statement);

// The worlds in which everybody's statement is true exactly when they are a knight.
Worlds solutions(const Puzzle& puzzle);
// The solution, if there is exactly one.
std::optional<unsigned> solution(const Puzzle& puzzle);

// Equal for puzzles that differ only in the order of people, the order of the parts of `and`, `or`
// and `if and only if`, or in `not a knight` for `a knave`.
std::uint64_t identity(const Puzzle& puzzle);

// What `speaker` says. `width` is the largest number of parts of `and` and `or`, 2 or 3.
Statement draw_statement(qed::Rng& rng, std::size_t people, std::size_t speaker, std::size_t width);
// A puzzle with any number of solutions.
Puzzle draw_puzzle(qed::Rng& rng, std::size_t people, std::size_t width);
// The puzzle with one statement drawn anew, or with one leaf of one statement drawn anew.
Puzzle change_statement(qed::Rng& rng, const Puzzle& puzzle, std::size_t width);
Puzzle change_leaf(qed::Rng& rng, const Puzzle& puzzle);

// As the published rows write it: (('not', ('telling-truth', 2)), ('lying', 0)). `parse` throws
// qed::Error for anything else.
std::string text(const Puzzle& puzzle);
Puzzle parse(std::string_view text);

}  // namespace knights
