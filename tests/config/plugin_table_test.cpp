// Tables that choose a plugin: what becomes of options when the plugin changes.

#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace qed {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using PluginTables = ConfigTest;

nlohmann::json json(const char* text) { return nlohmann::json::parse(text); }

TEST_F(PluginTables, AStageKeepsTheOptionsThatItDoesNotOverride) {
  const RunConfig config =
      load("[model]\nconfig = \"model.json\"\n[task]\nname = \"sums\"\nworking = 0.4\n" + sft() +
           "task = { digits = 2 }\n");

  EXPECT_EQ(config.stages[0].tasks.at(0).options, json(R"({"digits": 2, "working": 0.4})"));
}

TEST_F(PluginTables, AStageThatNamesAnotherPluginStartsFromItsDefaults) {
  const RunConfig config = load(
      "[model]\nconfig = \"model.json\"\n[task]\nname = \"sums\"\n"
      "[sampler]\nname = \"standard\"\n"
      "[algorithm]\nname = \"grpo\"\nclip_low = 0.5\n" +
      rl() + rl() + "algorithm = { name = \"plain\" }\n");

  EXPECT_EQ(config.stages[0].algorithm.options, json(R"({"clip_low": 0.5, "clip_high": 0.2})"));
  EXPECT_EQ(config.stages[1].algorithm.name, "plain");
  EXPECT_EQ(config.stages[1].algorithm.options, json(R"({"clip_low": 0.2})"));
  EXPECT_THAT(report_.notices, IsEmpty());
}

class Swap : public ConfigTest {
 protected:
  static std::string file() {
    return "[model]\nconfig = \"model.json\"\n[task]\nname = \"sums\"\n"
           "[sampler]\nname = \"standard\"\n"
           "[algorithm]\nname = \"grpo\"\nclip_low = 0.3\nclip_high = 0.4\n" +
           rl();
  }
};

TEST_F(Swap, KeepsWhatTheNewPluginDeclaresAndSaysWhatItLeavesOut) {
  const RunConfig config = load(file(), {"algorithm.name=plain"});

  EXPECT_EQ(config.stages[0].algorithm.options, json(R"({"clip_low": 0.3})"));
  EXPECT_THAT(report_.notices, ElementsAre("`clip_high` in [algorithm] (x.toml:10) is left out: "
                                           "algorithm `plain` has no such option"));
}

TEST_F(Swap, LeavesOutAValueThatTheNewPluginRefuses) {
  const RunConfig config = load(file(), {"algorithm.name=timid"});

  EXPECT_EQ(config.stages[0].algorithm.options, json(R"({"clip_low": 0.1, "clip_high": 0.4})"));
  EXPECT_THAT(report_.notices, ElementsAre("`clip_low` in [algorithm] (x.toml:9) is left out: "
                                           "algorithm `timid` takes between 0 and 0.1"));
}

TEST_F(Swap, ForOneStageOnlyLeavesTheOthers) {
  const RunConfig config = load(file() + rl(), {"stage.2.algorithm.name=plain"});

  EXPECT_EQ(config.stages[0].algorithm.name, "grpo");
  EXPECT_EQ(config.stages[1].algorithm.options, json(R"({"clip_low": 0.3})"));
}

TEST_F(Swap, OptionsGivenBySetAreForTheNewPlugin) {
  const RunConfig config = load(file(), {"algorithm.name=plain", "algorithm.clip_low=0.9"});

  EXPECT_EQ(config.stages[0].algorithm.options, json(R"({"clip_low": 0.9})"));
  EXPECT_EQ(error_of(file(), {"algorithm.name=plain", "algorithm.clip_high=1"}),
            "error: unknown key `clip_high` in [algorithm]\n"
            " --> --set\n"
            "  |\n"
            "  | algorithm.clip_high=1\n"
            "  |           ^^^^^^^^^ not an option of algorithm `plain`\n"
            "\n"
            "hint: `qed plugins plain` lists its options");
}

TEST_F(Swap, ToTheSamePluginIsNoSwap) {
  EXPECT_EQ(load(file(), {"algorithm.name=grpo"}).to_json(), load(file()).to_json());
}

}  // namespace
}  // namespace qed
