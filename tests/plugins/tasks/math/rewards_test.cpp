// What the task `math` pays by the rule of each system, and the prompts that it writes.

#include "tests/plugins/task_fixture.h"

#include <gmock/gmock.h>

namespace qed {
namespace {

using testing::HasSubstr;

class MathRewards : public testing::Test {
 protected:
  Task make(Json options) {
    options["data"] = "";
    return make_task(host_, "math", options);
  }
  Score score(const std::string& reward, std::string_view text, std::string_view prompt = {},
              std::uint32_t finish = QED_FINISH_STOP) {
    return score_text(make({{"reward", reward}}), seven_, text, prompt, {}, finish);
  }
  double pay(const std::string& reward, std::string_view text) {
    return score(reward, text).reward;
  }

  PluginHost host_{{product_plugins()}};
  const Item seven_{"k", R"({"gold":"7","question":"What is 3 + 4?"})"};
};

TEST_F(MathRewards, SimpleRlV0WantsTheWordBoxed) {
  EXPECT_EQ(pay("simplerl_v0", "It is \\boxed{7}."), 1);
  EXPECT_EQ(pay("simplerl_v0", "It is \\boxed{8}."), -0.5);
  EXPECT_EQ(pay("simplerl_v0", "The answer is 7."), -1);
  EXPECT_EQ(pay("simplerl_v0", "No idea."), -1);
  EXPECT_EQ(pay("simplerl_v0", "boxed: 7"), 1);
}

TEST_F(MathRewards, SimpleRlReadsNothingBehindAnEnd) {
  EXPECT_EQ(pay("simplerl_v0", "\\boxed{7}<|im_end|>\\boxed{8}"), 1);
  EXPECT_EQ(pay("simplerl_v0", "7</s>\\boxed{7}"), -1);
  EXPECT_EQ(pay("simplerl_v1_independent", "\\boxed{8}<|endoftext|>\\boxed{7}"), -0.5);
}

TEST_F(MathRewards, SimpleRlV1DoesNotAskForABoxUnlessIndependent) {
  EXPECT_EQ(pay("simplerl_v1", "It is \\boxed{7}."), 1);
  EXPECT_EQ(pay("simplerl_v1", "The answer is 7."), 1);
  EXPECT_EQ(pay("simplerl_v1", "It is \\boxed{8}."), 0);
  EXPECT_EQ(pay("simplerl_v1", "No idea."), 0);
  EXPECT_EQ(pay("simplerl_v1_independent", "It is \\boxed{7}."), 1);
  EXPECT_EQ(pay("simplerl_v1_independent", "The answer is 7."), 0.5);
  EXPECT_EQ(pay("simplerl_v1_independent", "It is \\boxed{8}."), -0.5);
  EXPECT_EQ(pay("simplerl_v1_independent", "The answer is 8."), -1);
  EXPECT_EQ(pay("simplerl_v1_first", "The answer is 7."), -1);
  EXPECT_EQ(pay("simplerl_v1_first", "\\boxed{8}"), -0.5);
}

TEST_F(MathRewards, SimpleRlV1CountsBoxesThatCloseWithTwoPairsOfBracesInside) {
  EXPECT_EQ(score("simplerl_v1_independent", "\\boxed{{{1}}} 8").terms[2], 1);
  EXPECT_EQ(score("simplerl_v1_independent", "\\boxed{{{{1}}}} 8").terms[2], 0);
  EXPECT_EQ(score("simplerl_v1_independent", "\\boxed{8").terms[2], 0);
  EXPECT_EQ(score("simplerl_v1_independent", "\\boxed{8 \\boxed{8}").terms[2], 1);
}

TEST_F(MathRewards, DeepScalerReadsTheLastBoxBehindTheThought) {
  EXPECT_EQ(pay("deepscaler", "<think>\\boxed{8}</think> So \\boxed{7}."), 1);
  EXPECT_EQ(pay("deepscaler", "<think>\\boxed{7}</think> So \\boxed{8}."), 0);
  EXPECT_EQ(pay("deepscaler", "<think>\\boxed{7}</think> So 7."), 0);
  EXPECT_EQ(pay("deepscaler", "\\boxed{7}"), 0);
  EXPECT_EQ(pay("deepscaler", "hm</think> \\boxed{7}"), 0);
  EXPECT_EQ(score("deepscaler", "hm</think> \\boxed{7}", "<think>\n").reward, 1);
  EXPECT_EQ(pay("deepscaler", "<think></think> \\boxed{7} </think> \\boxed{8}"), 1);
  EXPECT_EQ(pay("deepscaler", "<think></think> \\boxed{1} and \\boxed{7}"), 1);
}

TEST_F(MathRewards, DeepScalerTakesWhatEitherGraderTakes) {
  const auto pays = [&](const char* gold, const std::string& box) {
    const Item item{"k", Json{{"gold", gold}}.dump()};
    return score_text(make({{"reward", "deepscaler"}}), item, "<think></think>" + box).reward;
  };
  EXPECT_EQ(pays("\\frac{1}{2}", "\\boxed{0.5}"), 1);
  EXPECT_EQ(pays("\\frac{1}{2}", "\\boxed{\\frac{2}{4}}"), 0);
  EXPECT_EQ(pays("4", "\\boxed{\\sqrt{16}}"), 0);
  EXPECT_EQ(pays("2\\sqrt{3}", "\\boxed{\\sqrt{12}}"), 1);
}

TEST_F(MathRewards, R1ZeroReadsTheAnswerTagAfterOneSpace) {
  EXPECT_EQ(pay("r1_zero", "hm </think> <answer> 7 </answer>"), 1);
  EXPECT_EQ(pay("r1_zero", "hm </think> <answer> so \\boxed{7} </answer>"), 1);
  EXPECT_EQ(pay("r1_zero", "hm </think> <answer> so \\boxed{8} or 7 </answer>"), 0);
  EXPECT_EQ(pay("r1_zero", "hm </think> <answer> \\boxed 7 </answer>"), 0);
  EXPECT_EQ(pay("r1_zero", "hm </think>\n<answer> 7 </answer>"), 0);
  EXPECT_EQ(pay("r1_zero", "hm </think> <answer> 7"), 0);
  EXPECT_EQ(pay("r1_zero", "</think> <answer> 8 </answer><answer>7"), 1);
  EXPECT_EQ(pay("r1_zero_boxed", "hm, \\boxed{8}, no, \\boxed{7}"), 1);
  EXPECT_EQ(pay("r1_zero_boxed", "hm </think> <answer> 7 </answer>"), 0);
}

TEST_F(MathRewards, R1ZeroPaysNothingForACompletionThatWasCut) {
  const Score cut = score("r1_zero_boxed", "\\boxed{7} and", {}, QED_FINISH_LENGTH);
  EXPECT_EQ(cut.reward, 0);
  EXPECT_EQ(cut.verdict, QED_VERDICT_RIGHT);
  EXPECT_THAT(cut.note, HasSubstr("no end token"));
}

TEST_F(MathRewards, R1ZeroTakesMoreWithTheSlowGrader) {
  const Item item{"k", R"({"gold":"\\frac{1}{2}"})"};
  const std::string text = "\\boxed{\\frac{2}{4}}";
  EXPECT_EQ(score_text(make({{"reward", "r1_zero_boxed"}}), item, text).reward, 0);
  EXPECT_EQ(score_text(make({{"reward", "r1_zero_boxed"}, {"fast", false}}), item, text).reward, 1);
}

TEST_F(MathRewards, OpenR1SkipsWhatItCannotRead) {
  EXPECT_EQ(pay("open_r1", "It is $\\boxed{7}$."), 1);
  EXPECT_EQ(pay("open_r1", "It is 7."), 0);
  const Score skipped = score_text(make({{"reward", "open_r1"}}),
                                   {"k", R"({"gold":"see the proof above"})"}, "\\boxed{7}");
  EXPECT_EQ(skipped.status, QED_DATA);
}

// More of its cases are in the shared data; here, how the places rank.
TEST_F(MathRewards, DemystifyReadsTheLastFormulaAndTheFirstLineWithABox) {
  EXPECT_EQ(pay("demystify", "$1 + 6 = 7$"), 1);
  EXPECT_EQ(pay("demystify", "$1 + 6 = 7$ and $8$"), 0);
  EXPECT_EQ(pay("demystify", "\\boxed{7} or $8$, $9$"), 1);
  EXPECT_EQ(pay("demystify", "\\boxed{8}\n\\boxed{7} or $8$, $9$"), 0);
  EXPECT_EQ(pay("demystify", "The answer is: $7$. Or $8$ and $9$"), 0);
  EXPECT_EQ(pay("demystify", "$8$ and $9$. The answer is: (7)."), 1);
  EXPECT_EQ(pay("demystify", "$8$ and $9$; the answer is \\fbox{7}"), 0);
}

// Its cases are in plugins/tasks/math/golden.
TEST_F(MathRewards, UnslothCallsANumberOrATextRight) {
  const auto verdict = [&](const std::string& solution) {
    return score("unsloth", "<end_working_out><SOLUTION>" + solution + "</SOLUTION>").verdict;
  };
  EXPECT_EQ(verdict(" 7 "), QED_VERDICT_RIGHT);
  EXPECT_EQ(verdict("7.0 apples"), QED_VERDICT_RIGHT);
  EXPECT_EQ(verdict("7.1"), QED_VERDICT_WRONG);
  EXPECT_THAT(score("unsloth", "7").terms, testing::ElementsAre(0, 0, 0, 0));
}

TEST_F(MathRewards, DemystifyHasNoOtherVerifier) {
  try {
    make({{"reward", "demystify"}, {"verifier", "strict"}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("reward = \"demystify\" is a verifier of its own; leave "
                                    "`verifier` out"));
  }
}

TEST_F(MathRewards, TermsCountWrongAnswersInTheRightForm) {
  const auto terms = [&](std::string_view text) {
    return score("simplerl_v1_independent", text).terms;
  };
  const auto are = [](float correct, float answered, float format, float wrong) {
    return testing::ElementsAre(correct, answered, format, wrong);
  };
  EXPECT_THAT(terms("\\boxed{7}"), are(1, 1, 1, 0));
  EXPECT_THAT(terms("\\boxed{8}"), are(0, 1, 1, 1));
  EXPECT_THAT(terms("7"), are(1, 1, 0, 0));
  EXPECT_THAT(terms(""), are(0, 0, 0, 0));
}

TEST_F(MathRewards, ASystemsRewardHasItsOwnNumbers) {
  try {
    make({{"reward", "open_r1"}, {"wrong", -1}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "task `math`: `right`, `wrong`, `missing` and `answer` are for reward = "
                 "\"plain\"; `open_r1` "
                 "has its own");
  }
}

TEST_F(MathRewards, AnotherVerifierMayDecideWhatIsRight) {
  const Item item{"k", R"({"gold":"10000"})"};
  const std::string text = "\\boxed{10000.5}";
  EXPECT_EQ(score_text(make({{"reward", "simplerl_v0"}}), item, text).reward, 1);
  const Task strict = make({{"reward", "simplerl_v0"}, {"verifier", "strict"}});
  EXPECT_EQ(score_text(strict, item, text).reward, -0.5);
}

TEST_F(MathRewards, PromptsAreTheSystemsOwnToTheByte) {
  const auto text = [&](const char* name) {
    return make({{"template", name}}).render(seven_).text;
  };
  EXPECT_EQ(text("simplerl_v0"),
            "<|im_start|>system\nPlease reason step by step, and put your final answer within "
            "\\boxed{}.<|im_end|>\n<|im_start|>user\nWhat is 3 + 4?<|im_end|>\n"
            "<|im_start|>assistant\n");
  EXPECT_EQ(text("simplerl_v1"),
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nWhat is "
            "3 + 4?\nPlease reason step by step, and put your final answer within "
            "\\boxed{}.<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(text("abel"), "Question:\nWhat is 3 + 4?\nAnswer:\nLet's think step by step.\n");
  EXPECT_EQ(text("none"), "What is 3 + 4?");
  EXPECT_THAT(text("r1_zero"),
              testing::EndsWith("<think> reasoning process here </think> <answer> answer here "
                                "</answer>.\nUser: What is 3 + 4?\nAssistant: <think>"));
  const Prompt r1 = make({{"template", "r1_zero"}}).render(seven_);
  EXPECT_THAT(r1.stop, testing::ElementsAre("</answer>"));
  const auto messages = [&](const char* name) {
    return Json::parse(make({{"template", name}}).render(seven_).messages);
  };
  EXPECT_EQ(messages("deepscaler").at(0).at("content"),
            "What is 3 + 4? Let's think step by step and output the final answer within "
            "\\boxed{}.");
  EXPECT_THAT(messages("open_r1").at(0).at("content").get<std::string>(),
              testing::EndsWith("Respond in the following format: "
                                "<think>\n...\n</think>\n<answer>\n...\n</answer>"));
  EXPECT_THAT(messages("open_r1_first").at(0).at("content").get<std::string>(),
              testing::EndsWith("<think> reasoning process here </think><answer> answer here "
                                "</answer>"));
  EXPECT_EQ(
      messages("unsloth").at(0).at("content"),
      "You are given a problem.\nThink about the problem and provide your working out.\nPlace "
      "it between <start_working_out> and <end_working_out>.\nThen, provide your solution "
      "between <SOLUTION></SOLUTION>");
  EXPECT_EQ(make({{"template", "unsloth"}}).render(seven_).prefill, "<start_working_out>");
  EXPECT_THAT(messages("logic_rl").at(0).at("content").get<std::string>(),
              testing::EndsWith("i.e., <answer> (\\boxed{}\\) </answer>."));
}

}  // namespace
}  // namespace qed
