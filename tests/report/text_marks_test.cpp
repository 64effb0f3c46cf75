#include "core/report/text_marks.h"

#include <gtest/gtest.h>

#include <string>

namespace qed {
namespace {

std::int64_t letters(std::string_view text, Script script) {
  return count_letters(text)[static_cast<std::size_t>(script)];
}

// Expected values: the original's function, run on the same texts.
TEST(Repeat, AlikeWindowsRepeat) {
  EXPECT_TRUE(has_repeat("abcdefghijabcdefghij"));
  EXPECT_TRUE(has_repeat("abcdefghijABCDEFGHIJ"));
  EXPECT_TRUE(has_repeat("abcdefghijjihgfedcba"));   // sets of characters
  EXPECT_FALSE(has_repeat("abcdefghijabcdefghi"));   // the second window is not full
  EXPECT_FALSE(has_repeat("abcdefghijabcdefxyzw"));  // 6 of 14
  EXPECT_FALSE(has_repeat("0123456789"));            // no more than a window
  EXPECT_TRUE(has_repeat("ααβγδεζηθιαβγδεζηθια"));   // characters, not bytes
}

TEST(Repeat, WindowsWithSpacesAndNewlinesAreSetsOfWords) {
  const std::string end = "\n0123456789 ZYXWVUTSRQ!?";  // a line of enough characters
  EXPECT_TRUE(has_repeat("ab cd\nef gg ef\ncd ab" + end));
  EXPECT_FALSE(has_repeat("ab cd\nef gba dc\nfe g" + end));  // the same characters, other words
  EXPECT_FALSE(has_repeat("ab cd\nef ggfedcba\n. " + end));
  EXPECT_TRUE(has_repeat("日本 \n x y z zyx\n  本日   " + end));
}

TEST(Repeat, AlikeLinesRepeat) {
  const std::string line = "the quick brown fox jumps over it";
  EXPECT_TRUE(has_repeat(line + "\nno\n" + line));  // the short line between is put aside
  EXPECT_FALSE(has_repeat(line + "\nA SUM OF 27 AND 84, 5 TIMES, 3%"));
}

TEST(Repeat, PartsBetweenPointsAreLookedAtWhereThereAreLines) {
  const std::string part = "the quick brown fox jumps over it";
  EXPECT_TRUE(has_repeat("12 + 84 % 5 (76) - 90 = 3\nso." + part + "." + part));
  EXPECT_FALSE(has_repeat("12 + 84 % 5 (76) - 90 = 3 so." + part + "." + part));
}

TEST(Repeat, ShortLinesAloneCountAsRepeating) {
  EXPECT_TRUE(has_repeat("12 + 84\n(76) - 90 = 3"));
  EXPECT_FALSE(has_repeat("12 + 84 % 5 (76) - 90 = 3\nso"));
}

TEST(Box, IsClosedAndNotTooDeep) {
  EXPECT_TRUE(has_box("so \\boxed{7}"));
  EXPECT_TRUE(has_box("\\boxed{\\frac{1}{2^{3}}}"));
  EXPECT_TRUE(has_box("\\boxed{ \\boxed{7}"));
  EXPECT_FALSE(has_box("\\boxed{a{b{c{d}}}}"));
  EXPECT_FALSE(has_box("\\boxed{7"));
  EXPECT_FALSE(has_box("boxed{7} \\boxed 7"));
}

TEST(Letters, AreCountedByScript) {
  const std::string text = "Wait, 等一下 еще ひらカナ 한글 سلام שלום ß";
  EXPECT_EQ(letters(text, Script::kLatin), 5);
  EXPECT_EQ(letters(text, Script::kHan), 3);
  EXPECT_EQ(letters(text, Script::kCyrillic), 3);
  EXPECT_EQ(letters(text, Script::kKana), 4);
  EXPECT_EQ(letters(text, Script::kHangul), 2);
  EXPECT_EQ(letters(text, Script::kArabic), 4);
  EXPECT_EQ(letters(text, Script::kOther), 4);
}

TEST(Letters, DigitsMarksAndNotationCountForNoScript) {
  EXPECT_EQ(count_letters("12+3=√x"), count_letters("y"));
  EXPECT_EQ(count_letters("αβ Σ ℝ 𝑥 × ÷ → 。，（）「」😀"), ScriptCounts{});
}

TEST(Letters, CharactersAreCodePoints) {
  EXPECT_EQ(num_characters("aß等😀"), 4u);
  EXPECT_EQ(num_characters(""), 0u);
}

}  // namespace
}  // namespace qed
