#pragma once

// LaTeX and plain text as tokens.

#include "tree.h"

#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace math {

enum class Tok : std::uint8_t {
  kEnd,
  kNumber,    // text: digits with at most one point, perhaps an exponent "e-6"
  kLetter,    // text: the symbol's name, of Latin letters one
  kFunction,  // text: "sin", "log", "max" ...
  kText,      // text: words of \text{...}, trimmed
  kUnit,      // text: a word that only stands for a unit
  kFrac,
  kBinom,
  kSqrt,
  kBigOp,   // text: "sum", "prod", "int", "lim"
  kBegin,   // text: the environment
  kEndEnv,  // text: the environment
  kPlus,
  kMinus,
  kPlusMinus,
  kMinusPlus,
  kTimes,
  kOver,
  kCaret,
  kUnder,
  kOpen,      // ( [ { | or \{ : text
  kClose,     // ) ] } or \} : text
  kBar,       // |
  kRelation,  // relation, text
  kUnion,
  kIntersection,
  kSetMinus,
  kComma,
  kSemicolon,
  kColon,
  kBang,
  kPercent,
  kDegree,
  kPrime,
  kAmpersand,
  kRowEnd,
  kAnd,  // and, or
  kMod,
  kDots,
  kAccent,  // text: "vec", "bar": its argument follows
  kBoxed,
  kChoose,
};

struct Token {
  Tok type = Tok::kEnd;
  bool has_space = false;  // before it
  Relation relation = Relation::kEqual;
  std::uint8_t places = 0;  // digits behind the point of a number; 255: none written
  std::string_view text = {};
};

struct Tokens {
  std::vector<Token> list;
  std::forward_list<std::string> made;  // texts that stand nowhere as one
};

struct LexOptions {
  bool plain = false;          // prose: a run of letters is a word
  bool decimal_comma = false;  // "1,5" is a number
};

inline constexpr std::size_t kMaxTokens = 4096;

// Nothing for a text with too many tokens, a command that is not known, or a byte that is none of
// mathematics. Linear time. The tokens point into `text`.
std::optional<Tokens> lex(std::string_view text, const LexOptions& options);

}  // namespace math
