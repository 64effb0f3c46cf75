#pragma once

// A puzzle in words: names, roles, sentences. The texts are mem-kk-logic's.

#include "puzzle.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace knights {

inline constexpr std::size_t kNumNames = 51, kNumUncommonNames = 50, kNumTemplates = 18;
extern const std::string_view kNames[kNumNames];
extern const std::string_view kUncommonNames[kNumUncommonNames];

// What the people who tell the truth are called, and those who lie.
struct Roles {
  std::string_view truth = "knight", lie = "knave";
};
inline constexpr Roles kRolePairs[] = {{"pioneer", "laggard"}, {"saint", "sinner"},
                                       {"hero", "villain"},    {"angel", "devil"},
                                       {"altruist", "egoist"}, {"sage", "fool"}};

// One of the words above, knight or knave.
bool is_role(std::string_view word);
// "a" or "an".
std::string_view article(std::string_view role);

// "A", "A and B", "A, B, and C".
std::string listing(std::span<const std::string_view> names);

// "Zoey is a knight and Oliver is not a knave". Appends.
void append_content(std::string& out, const Statement& statement,
                    std::span<const std::string_view> names, Roles roles);

// Who speaks in which of the templates. Sentences stand in this order.
struct Sentence {
  std::size_t speaker = 0, wording = 0;
};

// The whole question, on one line.
std::string quiz(const Puzzle& puzzle, std::span<const std::string_view> names, Roles roles,
                 std::span<const Sentence> sentences);

// How one gets to the solution: depth first, one person after the other, those who were spoken of
// first. One sentence per line, the published head and foot included.
std::string reasoning(const Puzzle& puzzle, std::span<const std::string_view> names, Roles roles);

}  // namespace knights
