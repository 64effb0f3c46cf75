#include "core/reward/eval_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qed {
namespace {

using Votes = std::vector<EvalVote>;

// c right completions, which say "yes", and n - c wrong ones, which say "no".
Votes votes(int n, int c) {
  Votes out;
  for (int i = 0; i < n; ++i) out.push_back({i < c, i < c ? "yes" : "no"});
  return out;
}

EvalValue value(const std::vector<EvalValue>& values, const std::string& name) {
  for (const EvalValue& v : values) {
    if (v.name == name) return v;
  }
  ADD_FAILURE() << "no value " << name;
  return {};
}

TEST(EvalStatistics, OneSampleGivesTheMeanAndItsStandardErrorAlone) {
  const std::vector<Votes> items = {votes(1, 1), votes(1, 1), votes(1, 1), votes(1, 0)};
  const auto values = eval_statistics(items, 1);
  ASSERT_EQ(values.size(), 1u);
  EXPECT_EQ(values[0].name, "mean@1");
  EXPECT_DOUBLE_EQ(values[0].mean, 0.75);
  EXPECT_DOUBLE_EQ(values[0].standard_error, std::sqrt(0.75 * 0.25 / 4));
}

// By counting: of the 10 pairs of 5 completions with 2 right ones, 3 hold no right one.
TEST(EvalStatistics, PassAtKIsTheShareOfSubsetsWithARightOne) {
  const auto values = eval_statistics(std::vector<Votes>{votes(5, 2)}, 5);
  EXPECT_DOUBLE_EQ(value(values, "mean@5").mean, 0.4);
  EXPECT_DOUBLE_EQ(value(values, "pass@2").mean, 0.7);
  EXPECT_DOUBLE_EQ(value(values, "pass@4").mean, 1.0);
  EXPECT_DOUBLE_EQ(value(values, "pass@5").mean, 1.0);
}

TEST(EvalStatistics, PassAtKIsExactForManyCompletions) {
  const auto values = eval_statistics(std::vector<Votes>{votes(1000, 1)}, 1000);
  EXPECT_NEAR(value(values, "pass@64").mean, 0.064, 1e-12);
  EXPECT_DOUBLE_EQ(value(values, "pass@1000").mean, 1.0);
}

TEST(EvalStatistics, AnItemWithTooFewScoredCompletionsDoesNotCountInPassAtK) {
  const std::vector<Votes> items = {votes(4, 2), votes(2, 0), votes(0, 0)};
  const auto values = eval_statistics(items, 4);
  EXPECT_DOUBLE_EQ(value(values, "mean@4").mean, 0.25);
  EXPECT_DOUBLE_EQ(value(values, "pass@4").mean, 1.0);
  EXPECT_DOUBLE_EQ(value(values, "pass@2").mean, (5.0 / 6 + 0) / 2);
}

TEST(EvalStatistics, TheMostFrequentAnswerDecidesTheMajority) {
  const std::vector<Votes> items = {
      {{true, "7"}, {true, "7"}, {false, "8"}},   // right
      {{true, "7"}, {false, "8"}, {false, "8"}},  // wrong
      {{true, "7"}, {false, "8"}, {false, ""}},   // a tie; one does not vote
      {{false, ""}, {false, ""}, {false, ""}},    // nobody votes
  };
  const EvalValue maj = value(eval_statistics(items, 3), "maj@3");
  EXPECT_DOUBLE_EQ(maj.mean, (1 + 0 + 0.5 + 0) / 4);
  EXPECT_GT(maj.standard_error, 0);
}

TEST(EvalStatistics, NothingScoredIsNotANumber) {
  EXPECT_TRUE(std::isnan(eval_statistics(std::vector<Votes>{votes(0, 0)}, 1)[0].mean));
}

TEST(AnswerText, IsWhatTheCompletionMarksAsItsAnswer) {
  EXPECT_EQ(answer_text("<think>1+1=3</think><answer> 2 </answer>"), "2");
  EXPECT_EQ(answer_text("<answer>1</answer> no: <answer>2\n 3</answer>"), "2 3");
  EXPECT_EQ(answer_text("<answer>9</answer> in thought</think>so \\boxed{\\frac{1}{2}}."),
            "\\frac{1}{2}");
  EXPECT_EQ(answer_text("a #### 5\nb\n#### 1,234 \n"), "1,234");
  EXPECT_EQ(answer_text("first line\n  The answer is  4 \n\n"), "The answer is 4");
  EXPECT_EQ(answer_text("\\boxed{open"), "\\boxed{open");
  EXPECT_EQ(answer_text(" \n"), "");
  EXPECT_EQ(answer_text(""), "");
}

}  // namespace
}  // namespace qed
