// [reward]: extra terms of the reward.

#include <gmock/gmock.h>

#include "core/config/difference.h"
#include "tests/config/config_fixture.h"

namespace qed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Reward : public ConfigTest {
 protected:
  // A run whose [reward] table has these lines; the first is line 11.
  static std::string file(const std::string& terms) { return head() + "[reward]\n" + terms + rl(); }
};

TEST_F(Reward, IsTheTasksOwnWithoutATable) {
  const RunConfig config = load(head() + rl());

  EXPECT_EQ(config.stages[0].task_weight, 1.0);
  EXPECT_THAT(config.stages[0].rewards, IsEmpty());
  EXPECT_EQ(config.to_json()["stage"][0]["reward"], nlohmann::json({{"task", {{"weight", 1.0}}}}));
}

TEST_F(Reward, ATermHasALabelAPluginAWeightAndOptions) {
  const RunConfig config =
      load(file("soft_overlong = { weight = 0.2, cache = 4096, gamma = 1 }\n"
                "long = { name = \"length\" }\ntask = { weight = 2 }\n"));

  const std::vector<RewardTerm>& terms = config.stages[0].rewards;
  ASSERT_EQ(terms.size(), 2u);
  EXPECT_EQ(terms[0].label, "long");
  EXPECT_EQ(terms[0].name, "length");
  EXPECT_EQ(terms[0].weight, 1.0);
  EXPECT_EQ(terms[0].gamma, std::nullopt);
  EXPECT_EQ(terms[0].options, nlohmann::json::object());
  EXPECT_EQ(terms[1].label, "soft_overlong");
  EXPECT_EQ(terms[1].name, "soft_overlong");
  EXPECT_EQ(terms[1].weight, 0.2);
  EXPECT_EQ(terms[1].gamma, 1.0);
  EXPECT_EQ(terms[1].options, nlohmann::json({{"cache", 4096}}));
  EXPECT_EQ(config.stages[0].task_weight, 2.0);
}

TEST_F(Reward, IsWrittenInAnyTomlForm) {
  const nlohmann::json json = load(file("length = { weight = 0.5 }\n")).to_json();

  EXPECT_EQ(load(head() + "[reward.length]\nweight = 0.5\n" + rl()).to_json(), json);
  EXPECT_EQ(load(file("length.weight = 0.5\n")).to_json(), json);
  EXPECT_EQ(load(head() + rl() + "[stage.reward.length]\nweight = 0.5\n").to_json(), json);
}

TEST_F(Reward, IsOverriddenBySet) {
  const std::string text = file("soft_overlong = { weight = 0.2, cache = 7 }\n");
  const RunConfig config = load(text, {"reward.soft_overlong.weight=0.1",
                                       "stage.1.reward.length.weight=3", "reward.task.weight=0.5"});

  ASSERT_EQ(config.stages[0].rewards.size(), 2u);
  EXPECT_EQ(config.stages[0].rewards[0].weight, 3);
  EXPECT_EQ(config.stages[0].rewards[1].weight, 0.1);
  EXPECT_EQ(config.stages[0].rewards[1].options, nlohmann::json({{"cache", 7}}));
  EXPECT_EQ(config.stages[0].task_weight, 0.5);
  EXPECT_EQ(origin_of("reward.soft_overlong", "weight"), "--set");
  EXPECT_EQ(origin_of("reward.soft_overlong", "cache"), "x.toml:11");
  EXPECT_EQ(origin_of("reward.soft_overlong", "name"), "default");
  EXPECT_EQ(origin_of("reward.task", "weight"), "--set");
}

TEST_F(Reward, AStageOverridesAndAddsTerms) {
  const RunConfig config =
      load(file("soft_overlong = { weight = 0.2, cache = 7 }\n") + rl() +
           "reward = { soft_overlong = { cache = 8 }, length = {}, task = { weight = 3 } }\n");

  ASSERT_EQ(config.stages[0].rewards.size(), 1u);
  ASSERT_EQ(config.stages[1].rewards.size(), 2u);
  EXPECT_EQ(config.stages[1].rewards[1].weight, 0.2);
  EXPECT_EQ(config.stages[1].rewards[1].options, nlohmann::json({{"cache", 8}}));
  EXPECT_EQ(config.stages[0].task_weight, 1);
  EXPECT_EQ(config.stages[1].task_weight, 3);
}

TEST_F(Reward, AWeightOfZeroSwitchesATermOffForAStage) {
  const std::string text = file("soft_overlong = { weight = 0.2, cache = 7 }\n") + rl() +
                           "reward = { soft_overlong = { weight = 0 } }\n";
  const RunConfig config = load(text);

  EXPECT_EQ(config.stages[0].rewards.size(), 1u);
  EXPECT_THAT(config.stages[1].rewards, IsEmpty());
  EXPECT_FALSE(config.to_json()["stage"][1]["reward"].contains("soft_overlong"));
  EXPECT_THAT(load(text, {"reward.soft_overlong.weight=0"}).stages[0].rewards, IsEmpty());
  EXPECT_THAT(report_.notices, IsEmpty());
}

TEST_F(Reward, OptionsOfATermThatIsOffHaveNoEffect) {
  EXPECT_EQ(error_of(file("soft_overlong = { weight = 0, cache = 7 }\n")),
            "error: `cache` in [reward.soft_overlong] has no effect in this run\n"
            "  --> x.toml:11:31\n"
            "   |\n"
            "11 | soft_overlong = { weight = 0, cache = 7 }\n"
            "   |                               ^^^^^ the term's `weight` is 0\n"
            "\n"
            "hint: remove it");
}

TEST_F(Reward, OnlyRlStagesUseIt) {
  const std::string plain = "[model]\nconfig = \"model.json\"\n[task]\nname = \"sums\"\n";

  EXPECT_THAT(error_of(plain + "[reward]\nlength = {}\n" + sft()),
              HasSubstr("error: [reward] has no effect in this run\n"));
  EXPECT_FALSE(load(plain + sft()).to_json()["stage"][0].contains("reward"));
  EXPECT_THAT(error_of(head() + rl() + sft() + "reward = { length = {} }\n"),
              HasSubstr("error: [reward] of stage 2 has no effect in this run\n"));
}

TEST_F(Reward, OptionsAreCheckedLikeThoseOfATask) {
  EXPECT_EQ(error_of(file("soft_overlong = { wieght = 1, cahce = 7 }\n"
                          "length = { gamma = 2 }\n")),
            "error: unknown key `wieght` in [reward.soft_overlong]\n"
            "  --> x.toml:11:19\n"
            "   |\n"
            "11 | soft_overlong = { wieght = 1, cahce = 7 }\n"
            "   |                   ^^^^^^ not an option of reward `soft_overlong`\n"
            "\n"
            "hint: the closest option is `weight`; `qed plugins soft_overlong` lists its options\n"
            "\n"
            "error: unknown key `cahce` in [reward.soft_overlong]\n"
            "  --> x.toml:11:31\n"
            "   |\n"
            "11 | soft_overlong = { wieght = 1, cahce = 7 }\n"
            "   |                               ^^^^^ not an option of reward `soft_overlong`\n"
            "\n"
            "hint: the closest option is `cache`; `qed plugins soft_overlong` lists its options\n"
            "\n"
            "error: `gamma` in [reward.length] must be between 0 and 1, not 2\n"
            "  --> x.toml:12:20\n"
            "   |\n"
            "12 | length = { gamma = 2 }\n"
            "   |                    ^ out of range");
}

TEST_F(Reward, AnUnknownPluginIsShownAtItsNameOrItsLabel) {
  EXPECT_EQ(error_of(file("soft_overlng = {}\nlong = { name = \"lenght\" }\n")),
            "error: no reward is called `soft_overlng`\n"
            "  --> x.toml:11:1\n"
            "   |\n"
            "11 | soft_overlng = {}\n"
            "   | ^^^^^^^^^^^^ the label is the name where there is no `name`\n"
            "\n"
            "hint: `qed plugins` lists them\n"
            "\n"
            "error: no reward is called `lenght`\n"
            "  --> x.toml:12:17\n"
            "   |\n"
            "12 | long = { name = \"lenght\" }\n"
            "   |                 ^^^^^^^^\n"
            "\n"
            "hint: `qed plugins` lists them");
  EXPECT_EQ(exit_code_, kExitPlugin);
}

TEST_F(Reward, WhatIsNoTermIsShown) {
  EXPECT_EQ(error_of(file("length = 0.2\n")),
            "error: `length` in [reward] must be a table, not a float\n"
            "  --> x.toml:11:10\n"
            "   |\n"
            "11 | length = 0.2\n"
            "   |          ^^^\n"
            "\n"
            "hint: a term is written `length = { weight = 0.2 }`");
  EXPECT_THAT(error_of(file("\"a b\" = {}\n")), HasSubstr("error: `a b` is no label of a term\n"));
  EXPECT_THAT(error_of(file("task = { wight = 1 }\n")),
              HasSubstr("error: unknown key `wight` in [reward.task]\n"));
  EXPECT_THAT(error_of(file("task = { weight = 0 }\n")),
              HasSubstr("error: every reward would be 0: the task's `weight` is 0 and there is no "
                        "other term\n  --> x.toml:11:19\n"));
}

TEST_F(Reward, ASwappedPluginKeepsWhatFits) {
  const RunConfig config =
      load(file("long = { name = \"soft_overlong\", weight = 4, cache = 7 }\n"),
           {"reward.long.name=length"});

  EXPECT_EQ(config.stages[0].rewards[0].weight, 4);
  EXPECT_EQ(config.stages[0].rewards[0].name, "length");
  EXPECT_THAT(report_.notices, ElementsAre("`cache` in [reward.long] (x.toml:11) is left out: "
                                           "reward `length` has no such option"));
}

TEST_F(Reward, ADifferenceNamesTheKey) {
  const std::string text = file("length = { weight = 0.5 }\n");
  const nlohmann::json before = load(text).to_json();
  std::vector<std::string> found;
  for (const Difference& d : differences(before, load(text, {"reward.length.weight=2"}).to_json()))
    found.push_back(d.text());

  EXPECT_THAT(found, ElementsAre("reward.length.weight: 0.5 -> 2"));
}

}  // namespace
}  // namespace qed
