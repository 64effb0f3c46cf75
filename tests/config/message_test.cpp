// Every message of the config, on its full text.

#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace qed {
namespace {

using ::testing::HasSubstr;

using Message = ConfigTest;

TEST_F(Message, UnknownKey) {
  EXPECT_EQ(error_of(head() + "[train]\nlearning_rate = 1\nwarm_up = 3\n" + rl()),
            "error: unknown key `learning_rate` in [train]\n"
            "  --> x.toml:11:1\n"
            "   |\n"
            "11 | learning_rate = 1\n"
            "   | ^^^^^^^^^^^^^ not a key of [train]\n"
            "\n"
            "hint: `qed config` lists all keys\n"
            "\n"
            "error: unknown key `warm_up` in [train]\n"
            "  --> x.toml:12:1\n"
            "   |\n"
            "12 | warm_up = 3\n"
            "   | ^^^^^^^ not a key of [train]\n"
            "\n"
            "hint: the closest key is `warmup`; `qed config` lists all keys");
  EXPECT_EQ(exit_code_, kExitUsage);
}

TEST_F(Message, UnknownOptionOfAPlugin) {
  EXPECT_EQ(error_of("[algorithm]\nname = \"grpo\"\nclip_lw = 0.2\n\n"
                     "[model]\nconfig = \"model.json\"\n[task]\nname = \"sums\"\n"
                     "[sampler]\nname = \"standard\"\n" +
                     rl()),
            "error: unknown key `clip_lw` in [algorithm]\n"
            " --> x.toml:3:1\n"
            "  |\n"
            "3 | clip_lw = 0.2\n"
            "  | ^^^^^^^ not an option of algorithm `grpo`\n"
            "\n"
            "hint: the closest option is `clip_low`; `qed plugins grpo` lists its options");
}

TEST_F(Message, KeyInTheWrongTable) {
  EXPECT_EQ(error_of(head() + "[rollout]\nlr = 1\n" + rl()),
            "error: unknown key `lr` in [rollout]\n"
            "  --> x.toml:11:1\n"
            "   |\n"
            "11 | lr = 1\n"
            "   | ^^ not a key of [rollout]\n"
            "\n"
            "hint: `lr` is a key of [train]; `qed config` lists all keys");
}

TEST_F(Message, UnknownTableAndKeyOutsideOfTables) {
  EXPECT_EQ(error_of("seed = 3\n" + head() + "[trian]\n" + rl()),
            "error: unknown key `seed` outside of any table\n"
            " --> x.toml:1:1\n"
            "  |\n"
            "1 | seed = 3\n"
            "  | ^^^^\n"
            "\n"
            "hint: `seed` is a key of [run]; `qed config` lists all keys\n"
            "\n"
            "error: unknown table [trian]\n"
            "  --> x.toml:11:2\n"
            "   |\n"
            "11 | [trian]\n"
            "   |  ^^^^^ not a table of a run file\n"
            "\n"
            "hint: the closest table is `train`; `qed config` lists all keys");
}

TEST_F(Message, WrongType) {
  EXPECT_EQ(error_of(head() + "[train]\nlr = \"fast\"\nwarmup = 1.5\nbetas = [0.9]\n" + rl()),
            "error: `lr` in [train] must be a number, not a string\n"
            "  --> x.toml:11:6\n"
            "   |\n"
            "11 | lr = \"fast\"\n"
            "   |      ^^^^^^ expected a number\n"
            "\n"
            "hint: only strings are in quotes\n"
            "\n"
            "error: `warmup` in [train] must be an integer, not a float\n"
            "  --> x.toml:12:10\n"
            "   |\n"
            "12 | warmup = 1.5\n"
            "   |          ^^^ expected an integer\n"
            "\n"
            "error: `betas` in [train] must be a list of 2 numbers, not of 1\n"
            "  --> x.toml:13:9\n"
            "   |\n"
            "13 | betas = [0.9]\n"
            "   |         ^^^^^");
}

TEST_F(Message, OutOfRange) {
  EXPECT_EQ(error_of(head() + rl() + "train = { lr = -1, betas = [0.9, 1], eps = inf }\n"),
            "error: `lr` in [train] of stage 1 must be at least 0, not -1\n"
            "  --> x.toml:13:16\n"
            "   |\n"
            "13 | train = { lr = -1, betas = [0.9, 1], eps = inf }\n"
            "   |                ^^ out of range\n"
            "\n"
            "error: `betas` in [train] of stage 1 must be at least 0 and below 1, not 1\n"
            "  --> x.toml:13:34\n"
            "   |\n"
            "13 | train = { lr = -1, betas = [0.9, 1], eps = inf }\n"
            "   |                                  ^ out of range\n"
            "\n"
            "error: `eps` in [train] of stage 1 must be finite, not infinite\n"
            "  --> x.toml:13:44\n"
            "   |\n"
            "13 | train = { lr = -1, betas = [0.9, 1], eps = inf }\n"
            "   |                                            ^^^");
}

TEST_F(Message, NotAmongTheChoices) {
  EXPECT_EQ(error_of(head() + "[train]\nschedule = \"cosin\"\n" + rl()),
            "error: `schedule` in [train] must be \"constant\", \"linear\" or \"cosine\", not \"cosin\"\n"
            "  --> x.toml:11:12\n"
            "   |\n"
            "11 | schedule = \"cosin\"\n"
            "   |            ^^^^^^^ not one of its choices\n"
            "\n"
            "hint: the closest choice is `cosine`");
}

TEST_F(Message, NotToml) {
  EXPECT_EQ(error_of("[run\n"),
            "error: not valid TOML, in a table header\n"
            " --> x.toml:1:5\n"
            "  |\n"
            "1 | [run\n"
            "  |     ^ expected ']', saw '\\n'\n"
            "\n"
            "hint: a table begins with its name in brackets on a line of its own: [train]");
  EXPECT_THAT(error_of("[run]\nname = quick\n"), HasSubstr("a string is in quotes"));
}

TEST_F(Message, KeyOrTableGivenTwice) {
  EXPECT_EQ(error_of("[run]\nseed = 1\n  seed = 2  \n"),
            "error: key `seed` is given twice\n"
            " --> x.toml:3:3\n"
            "  |\n"
            "3 |   seed = 2  \n"
            "  |   ^^^^^^^^ the second\n"
            "\n"
            "hint: remove one of them");
  EXPECT_THAT(error_of("[run]\n[eval]\n[run]\n"),
              HasSubstr("error: table [run] is given twice\n --> x.toml:3:1\n"));
}

TEST_F(Message, MissingStages) {
  EXPECT_EQ(error_of(head()),
            "error: no [[stage]]\n"
            " --> x.toml\n"
            "\n"
            "hint: a run is a list of stages; write for example\n"
            "  [[stage]]\n"
            "  kind = \"rl\"\n"
            "  steps = 100");
  EXPECT_THAT(error_of(head() + "[stage]\nkind = \"rl\"\n"), HasSubstr("^^^^^^^ write [[stage]]"));
}

TEST_F(Message, MissingKeysOfAStage) {
  EXPECT_EQ(error_of(head() + "[[stage]]\nkind = \"sft\"\n" + rl()),
            "error: missing key `steps` in stage 1\n"
            "  --> x.toml:10:1\n"
            "   |\n"
            "10 | [[stage]]\n"
            "   | ^^^^^^^^^\n"
            "\n"
            "hint: write for example `steps = 100`\n"
            "\n"
            "error: missing key `demonstrations` in stage 1\n"
            "  --> x.toml:10:1\n"
            "   |\n"
            "10 | [[stage]]\n"
            "   | ^^^^^^^^^\n"
            "\n"
            "hint: write for example `demonstrations = 2000`");
}

TEST_F(Message, MissingTables) {
  EXPECT_EQ(error_of("[sampler]\ntemperature = 1\n" + rl()),
            "error: missing table [model]\n"
            " --> x.toml\n"
            "\n"
            "hint: `path` is a Hugging Face folder, `config` the config.json of a model made from "
            "nothing\n"
            "\n"
            "error: missing table [task]\n"
            " --> x.toml\n"
            "\n"
            "hint: write [task] with the `name` of a plugin; `qed plugins` lists them\n"
            "\n"
            "error: missing table [algorithm]\n"
            " --> x.toml\n"
            "\n"
            "hint: write [algorithm] with the `name` of a plugin; `qed plugins` lists them\n"
            "\n"
            "error: missing key `name` in [sampler]\n"
            " --> x.toml:1:1\n"
            "  |\n"
            "1 | [sampler]\n"
            "  | ^^^^^^^^^\n"
            "\n"
            "hint: write [sampler] with the `name` of a plugin; `qed plugins` lists them");
}

TEST_F(Message, ModelBothWaysOrNone) {
  EXPECT_THAT(
      error_of("[model]\npath = \".\"\nconfig = \"model.json\"\n"),
      HasSubstr("error: [model] has both `path` and `config`\n"
                " --> x.toml:3:1\n"
                "  |\n"
                "3 | config = \"model.json\"\n"
                "  | ^^^^^^ the second\n"
                "\n"
                "hint: `path` is a trained model, `config` makes one from nothing: keep one"));
  EXPECT_THAT(error_of("[model]\n"),
              HasSubstr("error: [model] needs `path` or `config`\n --> x.toml:1:1\n"));
}

TEST_F(Message, ModelThatIsNotThere) {
  EXPECT_THAT(error_of("[model]\nconfig = \"none.json\"\n"),
              HasSubstr("error: no model config at none.json\n"
                        " --> x.toml:2:10\n"
                        "  |\n"
                        "2 | config = \"none.json\"\n"
                        "  |          ^^^^^^^^^^^\n"));
  EXPECT_THAT(error_of("[model]\npath = \"none\"\n"),
              HasSubstr("error: no model in none: there is no such folder\n --> x.toml:2:8\n"));
  EXPECT_THAT(error_of("[model]\nchat_template = \"none.jinja\"\n"),
              HasSubstr("error: no chat template at none.jinja\n --> x.toml:2:17\n"));
}

TEST_F(Message, PluginThatCannotBeLoaded) {
  const std::string file = "[model]\nconfig = \"model.json\"\n[task]\nname = \"words_\"\n" + sft();
  EXPECT_EQ(error_of(file),
            "error: no task is called `words_`\n"
            " --> x.toml:4:8\n"
            "  |\n"
            "4 | name = \"words_\"\n"
            "  |        ^^^^^^^^\n"
            "\n"
            "hint: `qed plugins` lists them");
  EXPECT_EQ(exit_code_, kExitPlugin);

  error_of(file + "[run]\nsed = 1\n");
  EXPECT_EQ(exit_code_, kExitUsage);  // the file has a mistake of its own
}

TEST_F(Message, AllPluginsThatCannotBeLoadedAreReportedTogether) {
  const std::string text = error_of(
      "[model]\nconfig = \"model.json\"\n[task]\nname = \"smus\"\n"
      "[algorithm]\nname = \"grop\"\n[sampler]\nname = \"standrad\"\n"
      "[reward]\nlenght = {}\n" +
      rl() + rl() + "algorithm = { name = \"grrpo\" }\n");

  for (const char* name :
       {"task is called `smus`", "algorithm is called `grop`", "sampler is called `standrad`",
        "reward is called `lenght`", "algorithm is called `grrpo`"}) {
    EXPECT_THAT(text, HasSubstr(std::string("error: no ") + name));
  }
  EXPECT_EQ(exit_code_, kExitPlugin);
}

TEST_F(Message, AllProblemsComeInOneGoAndOnceEach) {
  const std::string text =
      error_of(head() + "[train]\nlrr = 1\n" + sft() + rl() + "steps2 = 1\n", {"x=1", "train.eps"});

  EXPECT_THAT(text, HasSubstr("unknown key `lrr`"));
  EXPECT_EQ(text.find("unknown key `lrr`"), text.rfind("unknown key `lrr`"));  // both stages see it
  EXPECT_THAT(text, HasSubstr("unknown key `steps2` in stage 2"));
  EXPECT_THAT(text, HasSubstr("unknown key `x` outside of any table\n --> --set\n"));
  EXPECT_LT(text.find("lrr"), text.find("steps2"));
  EXPECT_LT(text.find("steps2"), text.find("--> --set"));
}

TEST_F(Message, BadSet) {
  EXPECT_EQ(error_of(head() + rl(), {"train.lr"}),
            "error: --set without a value\n"
            " --> --set\n"
            "  |\n"
            "  | train.lr\n"
            "  | ^^^^^^^^ no `=` here\n"
            "\n"
            "hint: write --set KEY=VALUE, for example --set train.lr=1e-6");
  EXPECT_EQ(error_of(head() + rl(), {"train.lrr=1"}),
            "error: unknown key `lrr` in [train]\n"
            " --> --set\n"
            "  |\n"
            "  | train.lrr=1\n"
            "  |       ^^^ not a key of [train]\n"
            "\n"
            "hint: the closest key is `lr`; `qed config` lists all keys");
  EXPECT_EQ(error_of(head() + rl(), {"train.lr=fast"}),
            "error: `lr` in [train] must be a number, not a string\n"
            " --> --set\n"
            "  |\n"
            "  | train.lr=fast\n"
            "  |          ^^^^ expected a number");
  EXPECT_EQ(error_of(head() + rl(), {"run.name=\"a"}),
            "error: value of --set run.name is not valid TOML\n"
            " --> --set\n"
            "  |\n"
            "  | run.name=\"a\n"
            "  |          ^^ encountered end-of-file\n"
            "\n"
            "hint: quote a string for the shell and for TOML: --set 'run.name=\"a b\"'");
  EXPECT_EQ(error_of(head() + rl(), {"stage.2.steps=1"}),
            "error: there is no stage `2`\n"
            " --> --set\n"
            "  |\n"
            "  | stage.2.steps=1\n"
            "  |       ^ the file has 1 stage\n"
            "\n"
            "hint: stages count from 1: --set stage.1.steps=40");
}

TEST_F(Message, UnreadableFile) {
  try {
    load_run_config("none.toml", {}, plugins_);
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "error: cannot read the run file none.toml: no such file or directory\n"
                 "\n"
                 "hint: give the path of a run file, for example configs/quickstart.toml");
    EXPECT_EQ(error.exit_code(), kExitUsage);
  }
}

TEST_F(Message, RequiredOptionOfAPlugin) {
  EXPECT_THAT(error_of("[model]\nconfig = \"model.json\"\n[task]\nname = \"words\"\n" + sft()),
              HasSubstr("error: task `words` needs the option `path`\n --> x.toml:4:8\n"));
}

TEST_F(Message, CaretsCountCharactersAndTabsAsOne) {
  EXPECT_THAT(error_of(head() + rl() + "\ttrain = { \"größe\" = 1 }\n"),
              HasSubstr("13 |  train = { \"größe\" = 1 }\n"
                        "   |            ^^^^^^^ not a key of [train]"));
}

}  // namespace
}  // namespace qed
