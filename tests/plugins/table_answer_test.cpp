// The parts of the task `table` that find and compare answers.

#include "plugins/tasks/table/answer.h"
#include "plugins/tasks/table/pattern.h"

#include "qed/error.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace {

TEST(TableAnswer, NumbersAreComparedByValue) {
  EXPECT_TRUE(equals_number("$1,234.50", "1234.5"));
  EXPECT_TRUE(equals_number("1/2", "0.5"));
  EXPECT_TRUE(equals_number("-7.", "-7"));
  EXPECT_TRUE(equals_number("100000000000000000000000000001.0", "100000000000000000000000000001"));
  EXPECT_FALSE(equals_number("100000000000000000000000000001", "100000000000000000000000000002"));
  EXPECT_FALSE(equals_number("", ""));
  EXPECT_FALSE(equals_number("1e3", "1e3"));
}

TEST(TableAnswer, TheLastBoxCountsWithItsInnerBraces) {
  EXPECT_EQ(last_boxed("\\boxed{1} and \\boxed{\\frac{1}{2}}"), "\\frac{1}{2}");
  EXPECT_EQ(last_boxed("\\boxed{1"), std::nullopt);
  EXPECT_EQ(last_boxed("none"), std::nullopt);
}

TEST(TableAnswer, ChoicesAreLettersInTheirUsualForms) {
  for (const char* text : {"B", "b", "(B)", "B.", "b) because", " B: x", "1"}) {
    EXPECT_EQ(choice_letter(text), 'B') << text;
  }
  for (const char* text : {"", "Because", "12", "?"}) EXPECT_EQ(choice_letter(text), 0) << text;
}

TEST(TablePattern, MatchesTheWholeText) {
  const std::tuple<const char*, const char*, bool> cases[] = {{"a*b", "aaab", true},
                                                              {"(a|b)+c?", "abba", true},
                                                              {"\\d{2,3}", "12", true},
                                                              {"\\d{2,3}", "1234", false},
                                                              {"[^x-z]+", "abc", true},
                                                              {"[^x-z]+", "abx", false},
                                                              {"(?:ab){2}", "abab", true},
                                                              {"x{0,2}y", "xxxy", false},
                                                              {"(a*)*b", "aaac", false},
                                                              {"é.", "éß", true},
                                                              {"", "", true},
                                                              {"a|b|cd", "cd", true}};
  for (const auto& [pattern, text, expected] : cases) {
    EXPECT_EQ(Pattern(pattern).matches(text), expected) << pattern << " " << text;
  }
  EXPECT_TRUE(Pattern("HeLLo", true).matches("hEllO"));
}

TEST(TablePattern, ABadPatternSaysWhereAndWhy) {
  try {
    Pattern("a(b");
    FAIL() << "no error";
  } catch (const qed::Error& error) {
    EXPECT_STREQ(error.what(), "regular expression `a(b`, character 4: `)` is missing");
  }
}

}  // namespace
