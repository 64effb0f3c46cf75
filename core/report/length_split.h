#pragma once

// Where a completion stops thinking and starts to answer.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace qed {

// Bytes of the text that are thinking: those up to the first `</think>`, that mark included; where
// there is none, those before the first `<answer>`. Nothing without either mark.
std::optional<std::size_t> thinking_bytes(std::string_view text);

// How many of the tokens are thinking. A token belongs to the part in which it begins. `bytes`: of
// each token.
std::optional<std::size_t> num_thinking_tokens(std::span<const std::string_view> bytes);

}  // namespace qed
