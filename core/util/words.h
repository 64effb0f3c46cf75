#pragma once

// Names and lists of names in messages.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace qed {

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Those of `candidates` that a person who typed `name` may have meant, nearest first, at most
// three. Empty when none is plausible.
std::vector<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates);

// "`a`", "`a` or `b`", "`a`, `b` or `c`".
std::string quoted_list(const std::vector<std::string>& names, std::string_view last = "or");

// "the closest key is `a`" or "the closest keys are `a` and `b`"; empty without names.
std::string closest_hint(std::string_view what, const std::vector<std::string>& names);

// "1 key", "2 keys".
std::string counted(std::size_t count, std::string_view what);

}  // namespace qed
