#pragma once

// The answer in a text.

#include "policy.h"

#include <string>
#include <string_view>
#include <vector>

namespace math {

// The end of a completion that is looked at, in bytes.
inline constexpr std::size_t kWindow = 16 * 1024;

struct Candidate {
  std::string text = {};           // what is to be read as mathematics
  bool is_plain = false;           // from prose: a comma may be a decimal point
  bool is_words = false;           // no mathematics: compared as text
  std::size_t begin = 0, end = 0;  // where it stands in the text
};

// The answers of a completion, the best first; none where the policy finds none. Linear time.
std::vector<Candidate> find_answers(std::string_view text, const Policy& policy);
// The same of a gold answer, which may be the bare answer, or a solution that ends with it: its
// boxes, or all of it where it looks like a formula.
std::vector<Candidate> find_gold(std::string_view text, const Policy& policy);
// What else it may be where none of those can be read.
std::vector<Candidate> find_gold_in_prose(std::string_view text, const Policy& policy);

// The boxes of a text from left to right; boxes in boxes are part of the outer one.
struct Box {
  std::size_t begin, end;  // of all of it, "\boxed{...}"
  std::string_view content;
  bool is_closed;
  bool is_frame;  // \fbox
};
std::vector<Box> find_boxes(std::string_view text);

// Formulas from left to right: $...$, $$...$$, \(...\), \[...\]. The inner ones are of one line.
struct Formula {
  std::size_t begin, end;
  std::string_view content;
};
std::vector<Formula> find_formulas(std::string_view text);

// What follows the last </think>; nothing of a text that thinks to its end.
std::string_view without_thinking(std::string_view text);

}  // namespace math
