#include "core/report/length_split.h"

#include <gtest/gtest.h>

#include <vector>

namespace qed {
namespace {

std::optional<std::size_t> split(const std::vector<std::string_view>& tokens) {
  return num_thinking_tokens(tokens);
}

TEST(LengthSplit, ThinkingEndsWithItsMark) {
  EXPECT_EQ(split({"<think>", "a", "</think>", "b"}), 3u);
  EXPECT_EQ(split({"a", "</th", "ink> ", "b"}), 3u);  // the last token of the mark begins in it
  EXPECT_EQ(split({"a", "</think>"}), 2u);
  EXPECT_EQ(split({"a</think>", "<answer>", "</think>"}), 1u);  // the first counts
}

TEST(LengthSplit, WithoutItsMarkThinkingIsWhatStandsBeforeTheAnswer) {
  EXPECT_EQ(split({"a", "b", "<answer>", "7"}), 2u);
  EXPECT_EQ(split({"a", "b <", "answer>7"}), 2u);
  EXPECT_EQ(split({"<answer>", "7"}), 0u);
}

TEST(LengthSplit, ThereIsNoneWithoutEitherMark) {
  EXPECT_EQ(split({"a", "b"}), std::nullopt);
  EXPECT_EQ(split({}), std::nullopt);
}

}  // namespace
}  // namespace qed
