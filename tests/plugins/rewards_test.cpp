// The first-party rewards, through the host. That they give what the original systems give is shown
// by the conformance cases.

#include "core/host/reward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/host/host_fixture.h"
#include "tests/host/options.h"

namespace qed {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;

struct Completed {
  std::string text;
  std::size_t num_tokens = 0;
  std::uint32_t verdict = QED_VERDICT_WRONG;
  std::uint64_t group = 0;
  std::string prefill = {};
};

class Rewards : public testing::Test {
 protected:
  std::vector<RewardScore> score(const std::string& name, const nlohmann::json& options,
                                 const std::vector<Completed>& completions) {
    std::vector<std::vector<std::int32_t>> tokens;
    std::vector<SampleView> samples;
    std::vector<ScoredView> scored;
    for (const Completed& c : completions) tokens.emplace_back(c.num_tokens, 7);
    for (std::size_t i = 0; i < completions.size(); ++i) {
      const Completed& c = completions[i];
      samples.push_back({.item = &item_,
                         .prompt = "question",
                         .prefill = c.prefill,
                         .text = c.text,
                         .tokens = tokens[i],
                         .finish = QED_FINISH_STOP,
                         .group = c.group,
                         .index = i,
                         .max_new_tokens = 100});
    }
    for (std::size_t i = 0; i < samples.size(); ++i) {
      scored.push_back({&samples[i], 0.5, completions[i].verdict, {}, {}});
    }
    const Component& component = host_.load("reward", name);
    const Reward reward(component, options_with(component.spec, options), host_.abi());
    return reward.score(scored, 1);
  }
  double value(const std::string& name, const nlohmann::json& options, const Completed& c) {
    const RewardScore s = score(name, options, {c})[0];
    EXPECT_EQ(s.status, QED_OK) << s.note;
    return s.value;
  }

  PluginHost host_{{product_plugins()}};
  const Item item_{"key", R"({"target":3})"};
};

TEST_F(Rewards, FormatSeesThePrefillUnlessToldOtherwise) {
  const Completed c = {.text = "a\n</think>\n<answer>\n1\n</answer>", .prefill = "<think>\n"};
  EXPECT_EQ(value("format", {}, c), 1);
  EXPECT_EQ(value("format", {{"with_prefill", false}}, c), 0);
}

TEST_F(Rewards, TheOldFormatsOfOpenR1DifferInLineBreaks) {
  const Completed one_line = {.text = "<think>a</think> <answer>1</answer>"};
  const Completed lines = {.text = "<think>a\nb</think>\n<answer>1</answer>"};
  EXPECT_EQ(value("format", {{"rule", "open_r1_v1"}}, one_line), 1);
  EXPECT_EQ(value("format", {{"rule", "open_r1_v1"}}, lines), 0);
  EXPECT_EQ(value("format", {{"rule", "open_r1_v2"}}, lines), 1);
}

TEST_F(Rewards, WithoutDotallALaterPairOfTagsMayMatchAcrossALineBreak) {
  const std::string text = "<reasoning></reasoning><answer>a</reasoning>\n<answer>x</answer>";
  EXPECT_EQ(value("format", {{"rule", "grpo_demo_soft"}}, {text}), 0.5);
}

TEST_F(Rewards, LogicRlFormatIsPlusOrMinusOne) {
  EXPECT_EQ(value("format", {{"rule", "logic_rl"}}, {"<think>a</think><answer>b</answer>"}), 1);
  EXPECT_EQ(value("format", {{"rule", "logic_rl"}}, {"<think>a</think>"}), -1);
}

TEST_F(Rewards, LengthComparesWithinAGroupOnly) {
  const auto s = score("length", {},
                       {{"aa", 0, QED_VERDICT_RIGHT, 0},
                        {"aaaa", 0, QED_VERDICT_RIGHT, 0},
                        {"a", 0, QED_VERDICT_WRONG, 1},
                        {"aaaaaaaaa", 0, QED_VERDICT_WRONG, 1}});
  EXPECT_EQ(s[0].value, 0.5);
  EXPECT_EQ(s[1].value, -0.5);
  EXPECT_EQ(s[2].value, 0);
  EXPECT_EQ(s[3].value, -0.5);
}

TEST_F(Rewards, SoftOverlongTakesTheBudgetOfTheCompletion) {
  const nlohmann::json options = {{"cache", 20}};
  EXPECT_EQ(value("soft_overlong", options, {"", 80}), 0);
  EXPECT_EQ(value("soft_overlong", options, {"", 90}), -0.5);
  EXPECT_EQ(value("soft_overlong", options, {"", 100}), -1);
}

TEST_F(Rewards, CosineRunsFromOneEndToTheOther) {
  const nlohmann::json options = {{"unit", "tokens"}, {"max_len", 50}};
  EXPECT_EQ(value("cosine", options, {"", 0, QED_VERDICT_RIGHT}), 1);
  EXPECT_EQ(value("cosine", options, {"", 50, QED_VERDICT_RIGHT}), 0.5);
  EXPECT_EQ(value("cosine", options, {"", 0, QED_VERDICT_WRONG}), 0);
  EXPECT_EQ(value("cosine", options, {"", 50, QED_VERDICT_WRONG}), -0.5);
}

TEST_F(Rewards, CosineInCharactersNeedsALength) {
  EXPECT_THAT(failure_of([&] {
                value("cosine", {{"max_len", 0}}, {"a"});
              }).message,
              HasSubstr("need unit = \"tokens\""));
}

TEST_F(Rewards, RepetitionCountsWordsWithoutRegardToCase) {
  EXPECT_EQ(value("repetition", {{"ngram", 1}}, {"So so SO so"}), -0.75);
  EXPECT_EQ(value("repetition", {{"ngram", 3}}, {"two words"}), 0);
  const Completed right = {"so so", 0, QED_VERDICT_RIGHT};
  EXPECT_EQ(value("repetition", {{"ngram", 1}, {"only_wrong", true}}, right), 0);
}

TEST_F(Rewards, DenseRepetitionMarksTheTokensOfRepeatedNGrams) {
  const auto all = score("repetition_dense", {{"ngram", 2}, {"penalty", -0.5}}, {{"", 4}});
  EXPECT_EQ(all[0].value, 0);
  EXPECT_THAT(all[0].tokens, ElementsAre(FloatEq(0), FloatEq(-0.5), FloatEq(-0.5), FloatEq(-0.5)));
}

// ---- command: a program of the user's.

// A shell loop that answers each line with the output of `body`.
std::string loop(const std::string& body) { return "while read -r line; do " + body + "; done"; }

TEST_F(Rewards, CommandTakesNumbersObjectsAndNull) {
  const auto s = score("command",
                       {{"command", loop("case $line in *one*) echo 1;; *two*) echo "
                                         "'{\"value\": 2, \"note\": \"why\"}';; *) "
                                         "echo null;; esac")}},
                       {{"one"}, {"two"}, {"three"}});
  EXPECT_EQ(s[0].value, 1);
  EXPECT_EQ(s[1].value, 2);
  EXPECT_EQ(s[1].note, "why");
  EXPECT_TRUE(s[1].applies);
  EXPECT_FALSE(s[2].applies);
}

TEST_F(Rewards, CommandGetsOneJsonObjectPerLine) {
  const auto s = score("command",
                       {{"command", loop("echo \"{\\\"error\\\": \\\"$(echo $line | "
                                         "tr -d '\\\"\\\\\\\\')\\\"}\"")}},
                       {{.text = "a\nb", .verdict = QED_VERDICT_RIGHT}});
  EXPECT_EQ(s[0].status, QED_DATA);
  EXPECT_THAT(s[0].note, HasSubstr("prompt:question,completion:"));
  EXPECT_THAT(s[0].note, HasSubstr("item:{target:3},finish:stop,reward:0.5,verdict:right"));
}

TEST_F(Rewards, ACommandThatHangsFailsItsCompletionAndIsStartedAgain) {
  const auto s =
      score("command",
            {{"command", loop("case $line in *hang*) sleep 100;; esac; echo 1")}, {"timeout", 0.3}},
            {{"fine"}, {"hang"}, {"fine"}});
  EXPECT_EQ(s[0].value, 1);
  EXPECT_EQ(s[1].status, QED_DEADLINE);
  EXPECT_EQ(s[1].note, "the command gave no answer within 0.3 s and was killed");
  EXPECT_TRUE(std::isnan(s[1].value));
  EXPECT_EQ(s[2].value, 1);
}

TEST_F(Rewards, ACommandThatEndsFailsItsCompletionAndIsStartedAgain) {
  const auto s = score("command", {{"command", loop("case $line in *bad*) exit 3;; esac; echo 1")}},
                       {{"bad"}, {"fine"}});
  EXPECT_EQ(s[0].status, QED_RESOURCE);
  EXPECT_EQ(s[0].note, "the command ended with exit code 3 before it answered");
  EXPECT_EQ(s[1].value, 1);
}

TEST_F(Rewards, ACommandThatDoesNotExistFailsEveryCompletion) {
  const auto s = score("command", {{"command", "exec /no/such/program 2> /dev/null"}}, {{"a"}});
  EXPECT_EQ(s[0].note, "the command ended with exit code 127 before it answered");
}

TEST_F(Rewards, AnAnswerThatIsNoNumberIsShown) {
  const auto s = score("command", {{"command", loop("echo hello")}}, {{"a"}});
  EXPECT_THAT(s[0].note, HasSubstr("it answered: hello"));
}

TEST_F(Rewards, ManyLongCompletionsDoNotBlock) {
  const std::string text(300'000, 'x');
  const auto s = score("command", {{"command", loop("echo 1")}}, {{text}, {text}, {text}});
  for (const RewardScore& r : s) EXPECT_EQ(r.value, 1) << r.note;
}

}  // namespace
}  // namespace qed
