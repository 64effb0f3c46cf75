#include "core/report/length_split.h"

#include <algorithm>
#include <string>
#include <vector>

namespace qed {

std::optional<std::size_t> num_thinking_tokens(std::span<const std::string_view> bytes) {
  constexpr std::string_view kEndOfThinking = "</think>", kAnswer = "<answer>";
  std::string text;
  std::vector<std::size_t> begins;
  for (const std::string_view token : bytes) {
    begins.push_back(text.size());
    text += token;
  }
  std::size_t end = text.find(kEndOfThinking);
  end = end == text.npos ? text.find(kAnswer) : end + kEndOfThinking.size();
  if (end == text.npos) return std::nullopt;
  return std::lower_bound(begins.begin(), begins.end(), end) - begins.begin();
}

}  // namespace qed
