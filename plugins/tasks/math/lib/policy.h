#pragma once

// What graders disagree about, as options, and the published graders as presets.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace math {

// Where the answer is looked for in a completion.
enum class Place : std::uint8_t {
  kBoxed,     // the last \boxed or \fbox; boxes next to each other are one answer
  kBoxedTeX,  // the last \boxed alone, as the MATH data's own script takes it
  kAnswer,    // what follows the last "Answer:" on its line
  kTag,       // what stands in the last <answer> block, or the box in it
  kBrackets,  // the last [ ... ]
  kLadder,    // box, "the answer is", last formula, last number
  kWhole,     // all of the text
};

enum class Rule : std::uint8_t {
  kTree,       // compared as mathematics
  kHendrycks,  // the text of MATH's own script
  kDapo,       // the text of DAPO's
};

enum class Percent : std::uint8_t {
  kFraction,  // 10% is 0.1
  kDropped,   // 10% is 10
  kEither,    // a number is worth as much with % as without, or 1/100 of it
};

// When a decimal equals a value that it is not exactly.
enum class Tolerance : std::uint8_t {
  kNone,
  kRounded,   // it is the value rounded to its last place, of 7 significant digits at least
  kPlaces,    // they differ by less than half a unit of the place `places`
  kRelative,  // they differ by less than 1e-4 of the value; of whole numbers too
};

enum class RelationIsSet : std::uint8_t {
  kNever,
  kGold,  // the gold answer 1 < x < 2 is (1, 2), not the other way round
  kBoth,
};

struct Policy {
  std::string_view name;
  Place place = Place::kBoxed;
  bool skips_thinking = false;                  // what stands before the last </think> is not read
  bool reads_latex = true, reads_plain = true;  // by the ladder: formulas, numbers in prose
  bool needs_anchor = false;  // of the ladder: only closed boxes and "the answer is"
  Rule rule = Rule::kTree;
  Percent percent = Percent::kFraction;
  Tolerance tolerance = Tolerance::kNone;
  int places = 6;
  RelationIsSet relation_is_set = RelationIsSet::kBoth;
  bool ordered_lists = false;     // "1, 2" is not "2, 1"
  bool set_is_tuple = false;      // {1, 3} answers (1, 3), and 1, 3 does
  bool require_reduced = false;   // 2/4 is not 1/2
  bool whole_is_whole = false;    // a whole number is only answered by its digits
  bool units_count = false;       // 5 cm is not 5 m
  bool strict_names = true;       // f(x) is not f(y)
  bool ratio_is_quotient = true;  // 1:2 is 1/2
  bool steps_count = false;       // "1/2 = 0.6" is no answer, though it ends in one
  bool log_is_either = false;     // \log is of base 10 or e, whichever makes them equal
};

// math_verify, qwen, hendrycks, prm800k, deepscaler, dapo, simplerl_v0, simplerl_v1, open_r1,
// strict.
std::span<const Policy> presets();
std::optional<Policy> preset(std::string_view name);

}  // namespace math
