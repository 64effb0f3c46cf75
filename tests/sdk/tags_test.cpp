#include "qed/tags.h"

#include <gtest/gtest.h>

#include <string>

namespace qed {
namespace {

TEST(Tags, CountsAndCuts) {
  EXPECT_EQ(count("aaaa", "aa"), 2u);
  EXPECT_EQ(count("", "a"), 0u);
  EXPECT_TRUE(is_once("x<a>y", "<a>"));
  EXPECT_FALSE(is_once("<a><a>", "<a>"));
  EXPECT_FALSE(is_once("", "<a>"));
  EXPECT_EQ(after_first("1#2#3", "#"), "2#3");
  EXPECT_EQ(after_last("1#2#3", "#"), "3");
  EXPECT_EQ(after_last("1#", "#"), "");
  EXPECT_EQ(after_first("123", "#"), std::nullopt);
  EXPECT_EQ(before_first("1#2#3", "#"), "1");
  EXPECT_EQ(before_first("123", "#"), "123");
}

TEST(Tags, ContainsLooksEverywhere) {
  const std::string far(1000, 'x');
  EXPECT_TRUE(contains("<a>" + far, "<a>"));
  EXPECT_TRUE(contains(far + "<a>", "<a>"));
  EXPECT_TRUE(contains(far + "<a>" + std::string(126, 'x'), "<a>"));  // across where it begins
  EXPECT_FALSE(contains(far + "<a", "<a>"));
  EXPECT_FALSE(contains("", "<a>"));
}

TEST(Tags, MatchesAreThoseOfALazyRegularExpression) {
  EXPECT_EQ(first_between("<a>1</a><a>2</a>", "<a>", "</a>"), "1");
  EXPECT_EQ(last_between("<a>1</a><a>2</a>", "<a>", "</a>"), "2");
  EXPECT_EQ(last_between("<a>1</a><a>2", "<a>", "</a>"), "1");
  EXPECT_EQ(last_between("<a>1<a>2</a>", "<a>", "</a>"), "1<a>2");
  EXPECT_EQ(first_between("<a></a>", "<a>", "</a>"), "");
  EXPECT_EQ(first_between("</a><a>", "<a>", "</a>"), std::nullopt);
  EXPECT_EQ(first_between("", "<a>", "</a>"), std::nullopt);
}

TEST(Tags, ADotThatStopsAtLinesSkipsMatchesThatCrossOne) {
  EXPECT_EQ(first_between("<a>1\n2</a>", "<a>", "</a>"), "1\n2");
  EXPECT_EQ(first_between("<a>1\n2</a>", "<a>", "</a>", Dot::kLine), std::nullopt);
  EXPECT_EQ(first_between("<a>\n<a>2</a>", "<a>", "</a>", Dot::kLine), "2");
  EXPECT_EQ(first_between("<a>1\r\u2028</a>", "<a>", "</a>", Dot::kLine), "1\r\u2028");
  EXPECT_EQ(last_between("<a>1</a>\n<a>2\n</a>", "<a>", "</a>", Dot::kLine), "1");
}

TEST(Tags, MatchesTakeLinearTime) {  // without it, hours
  std::string text;
  for (int i = 0; i < 300000; ++i) text += "<a>\n";
  EXPECT_EQ(last_between(text, "<a>", "</a>", Dot::kLine), std::nullopt);
  EXPECT_EQ(last_between(text + "</a>", "<a>", "</a>", Dot::kLine), std::nullopt);
  EXPECT_TRUE(last_between(text + "<a></a>", "<a>", "</a>").has_value());
}

TEST(Tags, AThoughtAndAnAnswerAreThereOnceAndInOrder) {
  const auto parts = think_answer("a<think>b</think>c<answer>d</answer>e");
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->before, "a");
  EXPECT_EQ(parts->thought, "b");
  EXPECT_EQ(parts->between, "c");
  EXPECT_EQ(parts->answer, "d");
  EXPECT_EQ(parts->after, "e");
  for (const char* bad :
       {"", "<think></think><answer>", "<answer></answer><think></think>",
        "<think><answer></think></answer>", "<think></think><answer></answer></answer>",
        "<think></think><answer></answer><think>", "</think><think><answer></answer>"}) {
    EXPECT_FALSE(think_answer(bad).has_value()) << bad;
  }
}

TEST(Tags, TheWholeTextHasThePrefillOnce) {
  std::string buffer;
  EXPECT_EQ(whole_text("p<t>", "<t>", "x", buffer), "p<t>x");
  EXPECT_EQ(whole_text("p", "<t>", "x", buffer), "p<t>x");
  EXPECT_EQ(whole_text("", "<t>", "x", buffer), "<t>x");
  EXPECT_EQ(whole_text("p", "", "x", buffer), "px");
  EXPECT_EQ(whole_text("", "", "x", buffer), "x");
}

}  // namespace
}  // namespace qed
