#pragma once

// JSON as text: checked by nlohmann/json, passed on without a change to its numbers and strings.
// [any]

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace qed {

struct JsonProblem {
  std::size_t byte;  // where, from 0
  std::string what;  // "unexpected string literal; expected ':'"
};

// What keeps a text from being one JSON object; none when it is one. Nesting is limited to 1000.
std::optional<JsonProblem> check_json_object(std::string_view text);

// Appends valid JSON without the spaces between its tokens.
void append_compact(std::string_view json, std::string& out);

// Calls `take(name, member)` for every member of a valid object without spaces between tokens;
// `member` is the slice `"name":value`.
void for_each_member(std::string_view json,
                     const std::function<void(std::string_view, std::string_view)>& take);

// Appends a text, which is valid UTF-8, as a JSON string.
void append_json_string(std::string_view text, std::string& out);

}  // namespace qed
