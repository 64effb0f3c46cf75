#include "core/report/length_split.h"

#include <algorithm>
#include <string>
#include <vector>

namespace qed {

std::optional<std::size_t> thinking_bytes(std::string_view text) {
  constexpr std::string_view kEndOfThinking = "</think>", kAnswer = "<answer>";
  std::size_t end = text.find(kEndOfThinking);
  end = end == text.npos ? text.find(kAnswer) : end + kEndOfThinking.size();
  if (end == text.npos) return std::nullopt;
  return end;
}

std::optional<std::size_t> num_thinking_tokens(std::span<const std::string_view> bytes) {
  std::string text;
  std::vector<std::size_t> begins;
  for (const std::string_view token : bytes) {
    begins.push_back(text.size());
    text += token;
  }
  const std::optional<std::size_t> end = thinking_bytes(text);
  if (!end) return std::nullopt;
  return std::lower_bound(begins.begin(), begins.end(), *end) - begins.begin();
}

}  // namespace qed
