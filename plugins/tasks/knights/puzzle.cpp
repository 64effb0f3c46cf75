#include "puzzle.h"

#include <algorithm>
#include <bit>

namespace knights {

namespace {

Leaf draw_leaf(qed::Rng& rng, std::size_t people, std::size_t speaker) {
  for (;;) {  // nobody says that they are a knave
    const auto draw = rng.integer(0, 2 * static_cast<std::int64_t>(people) - 1);
    const Leaf leaf = {static_cast<std::uint8_t>(draw / 2), draw % 2 == 1};
    if (!leaf.is_knave || leaf.person != speaker) return leaf;
  }
}

bool has(const Statement& s, const Leaf& leaf) {
  return std::find(s.parts.begin(), s.parts.begin() + s.size, leaf) != s.parts.begin() + s.size;
}

Worlds where_leaf(const Leaf& leaf) {
  const Worlds knight = where_knight(leaf.person);
  return leaf.is_knave ? ~knight : knight;
}

// Mixes two words into one (the finalizer of SplitMix64).
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = a + 0x9E3779B97F4A7C15 * (b + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

std::size_t random_person(qed::Rng& rng, std::size_t people) {
  return static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(people) - 1));
}

}  // namespace

Worlds Worlds::operator~() const {
  return *this ^ Worlds {
    { ~0ull, ~0ull, ~0ull, ~0ull }
  };
}
Worlds Worlds::operator&(const Worlds& o) const {
  Worlds out = *this;
  for (std::size_t i = 0; i < 4; ++i) out.bits[i] &= o.bits[i];
  return out;
}
Worlds Worlds::operator|(const Worlds& o) const {
  Worlds out = *this;
  for (std::size_t i = 0; i < 4; ++i) out.bits[i] |= o.bits[i];
  return out;
}
Worlds Worlds::operator^(const Worlds& o) const {
  Worlds out = *this;
  for (std::size_t i = 0; i < 4; ++i) out.bits[i] ^= o.bits[i];
  return out;
}
bool Worlds::is_empty() const { return (bits[0] | bits[1] | bits[2] | bits[3]) == 0; }
bool Worlds::is_single() const {
  int num_set = 0;
  for (const std::uint64_t word : bits) num_set += word == 0 ? 0 : (word & (word - 1)) == 0 ? 1 : 2;
  return num_set == 1;
}
unsigned Worlds::first() const {
  unsigned word = 0;
  while (word < 3 && bits[word] == 0) ++word;
  return 64 * word + static_cast<unsigned>(std::countr_zero(bits[word]));
}

Worlds all_worlds(std::size_t people) {
  Worlds out;
  for (std::size_t w = 0; w < 4; ++w) {
    const std::size_t num_worlds = std::size_t{1} << people;
    if (num_worlds >= 64 * (w + 1)) {
      out.bits[w] = ~0ull;
    } else if (num_worlds > 64 * w) {
      out.bits[w] = (1ull << (num_worlds - 64 * w)) - 1;
    }
  }
  return out;
}

Worlds where_knight(std::size_t person) {
  static constexpr std::uint64_t kInWord[] = {0xAAAAAAAAAAAAAAAA, 0xCCCCCCCCCCCCCCCC,
                                              0xF0F0F0F0F0F0F0F0, 0xFF00FF00FF00FF00,
                                              0xFFFF0000FFFF0000, 0xFFFFFFFF00000000};
  if (person < 6) {
    const std::uint64_t word = kInWord[person];
    return {{word, word, word, word}};
  }
  return person == 6 ? Worlds{{0, ~0ull, 0, ~0ull}} : Worlds{{0, 0, ~0ull, ~0ull}};
}

Worlds where_true(const Statement& s) {
  Worlds out = where_leaf(s.parts[0]);
  switch (s.op) {
    case Op::kLeaf:
      return out;
    case Op::kNot:
      return ~out;
    case Op::kAnd:
      for (std::size_t i = 1; i < s.size; ++i) out = out & where_leaf(s.parts[i]);
      return out;
    case Op::kOr:
      for (std::size_t i = 1; i < s.size; ++i) out = out | where_leaf(s.parts[i]);
      return out;
    case Op::kIf:
      return ~out | where_leaf(s.parts[1]);
    case Op::kIff:
      return ~(out ^ where_leaf(s.parts[1]));
  }
  return out;
}

Worlds solutions(const Puzzle& puzzle) {
  Worlds out = all_worlds(puzzle.size);
  for (std::size_t i = 0; i < puzzle.size; ++i) {
    out = out & ~(where_knight(i) ^ where_true(puzzle.says[i]));
  }
  return out;
}

std::optional<unsigned> solution(const Puzzle& puzzle) {
  const Worlds worlds = solutions(puzzle);
  if (!worlds.is_single()) return std::nullopt;
  return worlds.first();
}

// Colours people by what they say about whom, then again by the colours of these, and so on.
std::uint64_t identity(const Puzzle& puzzle) {
  std::array<std::uint64_t, kMaxPeople> colour = {}, next = {};
  for (std::size_t round = 0; round < puzzle.size; ++round) {
    for (std::size_t speaker = 0; speaker < puzzle.size; ++speaker) {
      const Statement& s = puzzle.says[speaker];
      std::uint64_t sum = 0;
      for (std::uint64_t i = 0; i < s.size; ++i) {
        const Leaf leaf = s.parts[i];
        const std::uint64_t whom = leaf.person == speaker ? 1 : mix(2, colour[leaf.person]);
        const std::uint64_t place = s.op == Op::kIf ? i : 0;
        sum += mix(whom, 2 * place + (leaf.is_knave != (s.op == Op::kNot) ? 1 : 0));
      }
      const Op op = s.op == Op::kNot ? Op::kLeaf : s.op;
      next[speaker] = mix(mix(sum, static_cast<std::uint64_t>(op)), colour[speaker]);
    }
    colour = next;
  }
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < puzzle.size; ++i) sum += mix(colour[i], 0);
  return mix(sum, puzzle.size);
}

Statement draw_statement(qed::Rng& rng, std::size_t people, std::size_t speaker,
                         std::size_t width) {
  static constexpr Op kDice[] = {Op::kLeaf, Op::kNot, Op::kAnd, Op::kOr, Op::kIf, Op::kIff};
  Statement s;
  s.op = kDice[rng.integer(0, 5)];
  std::size_t size = s.op == Op::kLeaf || s.op == Op::kNot ? 1 : 2;
  if ((s.op == Op::kAnd || s.op == Op::kOr) && width > 2) {
    size = static_cast<std::size_t>(rng.integer(2, static_cast<std::int64_t>(width)));
  }
  while (s.size < size) {
    const Leaf leaf = draw_leaf(rng, people, speaker);
    if (!has(s, leaf)) s.parts[s.size++] = leaf;
  }
  return s;
}

Puzzle draw_puzzle(qed::Rng& rng, std::size_t people, std::size_t width) {
  Puzzle puzzle;
  puzzle.size = people;
  for (std::size_t i = 0; i < people; ++i) puzzle.says[i] = draw_statement(rng, people, i, width);
  return puzzle;
}

Puzzle change_statement(qed::Rng& rng, const Puzzle& puzzle, std::size_t width) {
  Puzzle out = puzzle;
  const std::size_t speaker = random_person(rng, puzzle.size);
  out.says[speaker] = draw_statement(rng, puzzle.size, speaker, width);
  return out;
}

Puzzle change_leaf(qed::Rng& rng, const Puzzle& puzzle) {
  Puzzle out = puzzle;
  const std::size_t speaker = random_person(rng, puzzle.size);
  Statement& s = out.says[speaker];
  const std::size_t part = random_person(rng, s.size);
  const Leaf leaf = draw_leaf(rng, puzzle.size, speaker);
  if (!has(s, leaf)) s.parts[part] = leaf;
  return out;
}

}  // namespace knights
