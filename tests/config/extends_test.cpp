// Run files that extend others.

#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace qed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Extends : public ConfigTest {
 protected:
  static std::string extends(const std::string& file) { return "extends = \"" + file + "\"\n"; }
};

TEST_F(Extends, WhatTheFileSaysWinsKeyByKey) {
  write("base.toml", head() + "[train]\nlr = 0.5\nwarmup = 3\n" + rl());
  const RunConfig config = load(extends("base.toml") + "[train]\nlr = 0.25\n");

  ASSERT_EQ(config.stages.size(), 1u);
  EXPECT_EQ(config.stages[0].train.lr, 0.25);
  EXPECT_EQ(config.stages[0].train.warmup, 3);
  EXPECT_EQ(origin_of("train", "lr"), "x.toml:3");
  EXPECT_EQ(origin_of("train", "warmup"), "base.toml:12");
  EXPECT_EQ(origin_of("train", "eps"), "default");
  EXPECT_EQ(origin_of("", "steps"), "base.toml:15");
}

TEST_F(Extends, ItsStagesReplaceThoseOfTheOther) {
  write("base.toml", head() + rl() + rl());

  EXPECT_EQ(load(extends("base.toml")).stages.size(), 2u);
  EXPECT_EQ(load(extends("base.toml") + sft()).stages.size(), 1u);
}

TEST_F(Extends, AChainIsFollowedToItsEnd) {
  write("parts/model.json", "{}");
  write("parts/last.toml", head() + "[train]\nlr = 1\nwarmup = 1\neps = 0.5\n");
  write("parts/middle.toml", extends("last.toml") + "[train]\nlr = 2\nwarmup = 2\n");
  const RunConfig config = load(extends("parts/middle.toml") + "[train]\nlr = 3\n" + rl(), {});

  EXPECT_EQ(config.stages[0].train.lr, 3);
  EXPECT_EQ(config.stages[0].train.warmup, 2);
  EXPECT_EQ(config.stages[0].train.eps, 0.5);
  EXPECT_EQ(origin_of("train", "eps"), "parts/last.toml:13");
}

TEST_F(Extends, SetIsStrongerThanAllFiles) {
  write("base.toml", head() + "[train]\nlr = 0.5\n" + rl());
  const RunConfig config = load(extends("base.toml"), {"train.lr=2", "stage.1.steps=9"});

  EXPECT_EQ(config.stages[0].train.lr, 2);
  EXPECT_EQ(config.stages[0].steps, 9);
  EXPECT_EQ(origin_of("train", "lr"), "--set");
}

TEST_F(Extends, APathStartsAtTheFileInWhichItStands) {
  write("deep/config.json", "{}");
  write("deep/base.toml", "[model]\npath = \".\"\n");
  write("trained/config.json", "{}");
  const std::string rest = "[task]\nname = \"sums\"\n" + sft();

  EXPECT_EQ(load(extends("deep/base.toml") + rest).model.path, "deep");
  EXPECT_EQ(load(extends("deep/base.toml") + "[model]\npath = \"trained\"\n" + rest).model.path,
            "trained");
}

TEST_F(Extends, ThePathAndTheConfigOfAModelStandForEachOther) {
  write("trained/config.json", "{}");
  write("base.toml", head() + rl());
  const RunConfig config = load(extends("base.toml") + "[model]\npath = \"trained\"\n");

  EXPECT_EQ(config.model.path, "trained");
  EXPECT_EQ(config.model.config, "");
}

TEST_F(Extends, ATableThatNamesAnotherPluginStartsFromItsDefaults) {
  write("base.toml", "[algorithm]\nname = \"grpo\"\nclip_low = 0.5\nclip_high = 0.6\n");
  const std::string rest =
      "[model]\nconfig = \"model.json\"\n[task]\nname = \"sums\"\n"
      "[sampler]\nname = \"standard\"\n" +
      rl();
  const RunConfig other = load(extends("base.toml") + "[algorithm]\nname = \"plain\"\n" + rest);
  const RunConfig same = load(extends("base.toml") + "[algorithm]\nclip_low = 0.1\n" + rest);

  EXPECT_EQ(other.stages[0].algorithm.options, nlohmann::json({{"clip_low", 0.2}}));
  EXPECT_EQ(same.stages[0].algorithm.options,
            nlohmann::json({{"clip_low", 0.1}, {"clip_high", 0.6}}));
}

TEST_F(Extends, TermsOfTheRewardAreMergedToo) {
  write("base.toml", head() +
                         "[reward]\nsoft_overlong = { weight = 0.5, cache = 7 }\n"
                         "size = { name = \"soft_overlong\", weight = 2, cache = 9 }\n" +
                         rl());
  const RunConfig config = load(extends("base.toml") +
                                "[reward]\nsoft_overlong = { cache = 8 }\n"
                                "size = { name = \"length\" }\nlength = {}\n");

  const std::vector<RewardTerm>& terms = config.stages[0].rewards;
  ASSERT_EQ(terms.size(), 3u);
  EXPECT_EQ(terms[0].label, "length");
  EXPECT_EQ(terms[1].name, "length");
  EXPECT_EQ(terms[1].weight, 2);
  EXPECT_EQ(terms[1].options, nlohmann::json::object());
  EXPECT_EQ(terms[2].weight, 0.5);
  EXPECT_EQ(terms[2].options, nlohmann::json({{"cache", 8}}));
}

TEST_F(Extends, TheResolvedConfigDoesNotSayHowTheFilesWereCut) {
  const std::string train = "[train]\nlr = 0.5\n";
  const nlohmann::json whole = load(head() + train + rl()).to_json();
  write("base.toml", head() + "[train]\nlr = 7\nwarmup = 0\n");

  EXPECT_EQ(load(extends("base.toml") + train + rl()).to_json(), whole);
}

TEST_F(Extends, AProblemIsShownInItsOwnFile) {
  write("base.toml", head() + "[train]\nlrr = 1\nwarmup = \"long\"\n");

  EXPECT_EQ(error_of(extends("base.toml") + "[eval]\nevry = 1\n" + rl()),
            "error: unknown key `evry` in [eval]\n"
            " --> x.toml:3:1\n"
            "  |\n"
            "3 | evry = 1\n"
            "  | ^^^^ not a key of [eval]\n"
            "\n"
            "hint: the closest key is `every`; `qed config` lists all keys\n"
            "\n"
            "error: unknown key `lrr` in [train]\n"
            "  --> base.toml:11:1\n"
            "   |\n"
            "11 | lrr = 1\n"
            "   | ^^^ not a key of [train]\n"
            "\n"
            "hint: the closest key is `lr`; `qed config` lists all keys\n"
            "\n"
            "error: `warmup` in [train] must be an integer, not a string\n"
            "  --> base.toml:12:10\n"
            "   |\n"
            "12 | warmup = \"long\"\n"
            "   |          ^^^^^^ expected an integer\n"
            "\n"
            "hint: only strings are in quotes");
}

TEST_F(Extends, WhatASharedFileSaysForOtherRunsIsNoMistake) {
  write("base.toml", head() + "[eval]\nitems = 4\n[train]\nbatch_size = 2\n");

  load(extends("base.toml") + rl());
  EXPECT_THAT(report_.notices, IsEmpty());
  load(extends("base.toml") + sft());  // it has no use for [algorithm] and [sampler]
  EXPECT_THAT(error_of(extends("base.toml") + "[eval]\nitems = 8\n" + rl()),
              HasSubstr("`items` in [eval] has no effect in this run\n --> x.toml:3:1"));
}

TEST_F(Extends, AMissingFileIsShownWithItsNearestNames) {
  write("parts/shared.toml", "");

  EXPECT_EQ(error_of(extends("parts/sharde.toml")),
            "error: cannot read parts/sharde.toml, which x.toml extends: no such file or "
            "directory\n"
            " --> x.toml:1:11\n"
            "  |\n"
            "1 | extends = \"parts/sharde.toml\"\n"
            "  |           ^^^^^^^^^^^^^^^^^^^\n"
            "\n"
            "hint: the closest file is `parts/shared.toml`");
  EXPECT_EQ(exit_code_, kExitUsage);
  EXPECT_THAT(error_of(extends("part/shared.toml")),
              HasSubstr("hint: the closest name is `parts`"));
  EXPECT_THAT(error_of(extends("parts")), HasSubstr("which x.toml extends: it is a folder"));
}

TEST_F(Extends, ACircleIsShown) {
  write("a.toml", extends("parts/b.toml"));
  write("parts/b.toml", "\n" + extends("../a.toml"));

  EXPECT_EQ(error_of(extends("a.toml")),
            "error: `extends` goes round in a circle: a.toml -> parts/b.toml -> a.toml\n"
            " --> parts/b.toml:2:11\n"
            "  |\n"
            "2 | extends = \"../a.toml\"\n"
            "  |           ^^^^^^^^^^^ this closes it\n"
            "\n"
            "hint: put what they share into a file that extends none of them");
  EXPECT_THAT(error_of(extends("x.toml")), HasSubstr("in a circle: x.toml -> x.toml\n"));
}

TEST_F(Extends, ASharedFileThatIsNoTomlIsShown) {
  write("base.toml", "[train]\nlr 3\n");

  EXPECT_THAT(error_of(extends("base.toml") + rl()),
              HasSubstr("error: not valid TOML, in a key-value pair\n --> base.toml:2:4\n"));
}

TEST_F(Extends, StandsAboveAllTablesAndIsAString) {
  EXPECT_THAT(error_of("extends = 3\n"), HasSubstr("error: `extends` must be a string\n"
                                                   " --> x.toml:1:11\n"));
  EXPECT_THAT(error_of(head() + "[run]\nextends = \"base.toml\"\n" + rl()),
              HasSubstr("hint: `extends` stands above all tables, on the first line"));
  EXPECT_THAT(error_of("extend = \"base.toml\"\n" + head() + rl()),
              HasSubstr("hint: the closest key is `extends`"));
  EXPECT_THAT(error_of(head() + rl(), {"extends=base.toml"}),
              HasSubstr("error: --set cannot change what a run file extends\n --> --set\n"));
}

}  // namespace
}  // namespace qed
