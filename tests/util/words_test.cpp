#include "core/util/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qed {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("tarin", "train"), 1u);
}

TEST(Nearest, GivesTheNearestFirstAndAtMostThree) {
  EXPECT_THAT(nearest("clip_lo", {"clip_high", "clip_low", "eps"}), ElementsAre("clip_low"));
  EXPECT_THAT(nearest("aaaa", {"aaab", "aaac", "aaad", "aaae"}).size(), 3u);
}

TEST(Nearest, GivesNothingThatNobodyMeant) {
  EXPECT_THAT(nearest("kl", {"run", "task", "eval"}), IsEmpty());
}

TEST(Nearest, TakesANameCutShortOrLengthened) {
  EXPECT_THAT(nearest("temp", {"top_k", "temperature"}), ElementsAre("temperature"));
  EXPECT_THAT(nearest("reinforce", {"grpo", "reinforce_pp"}), ElementsAre("reinforce_pp"));
}

TEST(QuotedList, ReadsAsASentenceDoes) {
  EXPECT_EQ(quoted_list({"a"}), "`a`");
  EXPECT_EQ(quoted_list({"a", "b", "c"}), "`a`, `b` or `c`");
  EXPECT_EQ(closest_hint("key", {"a", "b"}), "the closest keys are `a` and `b`");
  EXPECT_EQ(closest_hint("key", {}), "");
  EXPECT_EQ(counted(1, "key") + counted(2, "key"), "1 key2 keys");
}

}  // namespace
}  // namespace qed
