#pragma once

// Finding the answer in a completion, and comparing it with the gold answer.

#include <optional>
#include <string>
#include <string_view>

// Where an answer stands in a completion.
struct AnswerPlace {
  std::string where = "tag";   // "tag", "boxed", "last_line" or "all"
  std::string tag = "answer";  // for "tag": the last <tag>...</tag>
};

// The answer without space around; nothing where there is none.
std::optional<std::string_view> find_answer(std::string_view text, const AnswerPlace& place);

// The content of the last \boxed{...} with matching braces.
std::optional<std::string_view> last_boxed(std::string_view text);

// Byte for byte after runs of white space have become one space; letters of one case with
// `ignore_case`.
bool equals_text(std::string_view answer, std::string_view gold, bool ignore_case);

// Two numbers with the same value: integers, decimals, fractions; `$`, `%`, spaces and thousands
// separators are read over. Exact for any length.
bool equals_number(std::string_view answer, std::string_view gold);

// The letter of a choice: `B`, `(B)`, `B.`, `b)`, `B: because`; or of a gold index, counted from 0.
// 0: there is none.
char choice_letter(std::string_view text);
