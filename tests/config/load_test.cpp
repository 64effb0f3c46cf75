#include "core/config/load.h"

#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace qed {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Load = ConfigTest;

TEST_F(Load, ATableAtTheTopIsTheDefaultOfEveryStage) {
  const RunConfig config = load(head() + "[train]\nlr = 0.5\n" + sft() + rl());

  ASSERT_EQ(config.stages.size(), 2u);
  EXPECT_EQ(config.stages[0].train.lr, 0.5);
  EXPECT_EQ(config.stages[1].train.lr, 0.5);
  EXPECT_EQ(config.stages[0].demonstrations, 8);
  EXPECT_EQ(config.stages[1].kind, "rl");
}

TEST_F(Load, AStageOverridesKeyByKey) {
  const RunConfig config = load(head() + "[train]\nlr = 0.5\nwarmup = 3\n" + sft() +
                                "train = { lr = 1, betas = [0, 0.5] }\n" + rl());

  EXPECT_EQ(config.stages[0].train.lr, 1.0);
  EXPECT_EQ(config.stages[0].train.warmup, 3);
  EXPECT_THAT(config.stages[0].train.betas, ElementsAre(0.0, 0.5));
  EXPECT_EQ(config.stages[1].train.lr, 0.5);
}

TEST_F(Load, WhatTheFileDoesNotSayIsTheDefault) {
  const RunConfig config = load(head() + rl());

  EXPECT_EQ(config.run.name, "x");
  EXPECT_EQ(config.run.seed, 1);
  EXPECT_EQ(config.stages[0].train.lr, TrainTable{}.lr);
  EXPECT_EQ(config.stages[0].tasks.at(0).options, nlohmann::json({{"digits", 3}, {"working", 0.5}}));
  EXPECT_THAT(report_.notices, IsEmpty());
}

TEST_F(Load, SetDoesWhatWritingTheKeyIntoTheFileWouldDo) {
  const std::string file = head() + "[train]\nlr = 0.5\n" + sft() + "train = { lr = 2 }\n" + rl();

  const RunConfig config = load(file, {"train.lr=0.25", "stage.2.steps=9", "run.seed=7"});

  EXPECT_EQ(config.stages[0].train.lr, 2.0);
  EXPECT_EQ(config.stages[1].train.lr, 0.25);
  EXPECT_EQ(config.stages[1].steps, 9);
  EXPECT_EQ(config.run.seed, 7);
  EXPECT_THAT(
      report_.notices,
      ElementsAre("--set train.lr does not reach stage 1, which sets `lr` itself (x.toml:16); "
                  "--set stage.1.train.lr does"));
}

TEST_F(Load, TheLastSetOfAKeyWins) {
  EXPECT_EQ(load(head() + rl(), {"train.lr=1", "train.lr=2"}).stages[0].train.lr, 2.0);
}

TEST_F(Load, SetTakesTomlValuesAndBareWords) {
  const RunConfig config =
      load(head() + rl(),
           {"run.name=7", "eval.temperatures=[0.5, 1]", "eval.every=1", "train.schedule=\"cosine\"",
            "algorithm.name=plain", "stage.1.rollout={prompts = 3, group_size = 2}"});

  EXPECT_EQ(config.run.name, "7");
  EXPECT_THAT(config.stages[0].eval.temperatures, ElementsAre(0.5, 1.0));
  EXPECT_EQ(config.stages[0].train.schedule, "cosine");
  EXPECT_EQ(config.stages[0].algorithm.name, "plain");
  EXPECT_EQ(config.stages[0].rollout.group_size, 2);
}

TEST_F(Load, PathsInTheFileStartAtTheFileAndThoseOfSetHere) {
  std::filesystem::create_directories("deep/model");
  std::ofstream("deep/model/config.json") << "{}";
  std::ofstream("deep/y.toml") << "[model]\npath = \"model\"\n[task]\nname = \"sums\"\n" << sft();

  EXPECT_EQ(load_run_config("deep/y.toml", {}, plugins_).model.path, "deep/model");
  EXPECT_EQ(load_run_config("./deep/y.toml", {}, plugins_).model.path, "deep/model");
  EXPECT_EQ(load_run_config(std::filesystem::absolute("deep/y.toml"), {}, plugins_).model.path,
            "deep/model");
  EXPECT_EQ(load_run_config("deep/y.toml", {"model.path=deep/model"}, plugins_).model.path,
            "deep/model");
}

TEST_F(Load, TheChatTemplateIsAFileLikeTheModel) {
  std::filesystem::create_directories("deep/model");
  std::ofstream("deep/model/config.json") << "{}";
  std::ofstream("deep/chat.jinja") << "";
  std::ofstream("deep/y.toml") << "[model]\npath = \"model\"\nchat_template = \"chat.jinja\"\n"
                               << "[task]\nname = \"sums\"\n"
                               << sft();

  const RunConfig config = load_run_config("deep/y.toml", {}, plugins_);
  EXPECT_EQ(config.model.chat_template, "deep/chat.jinja");
  EXPECT_EQ(config.to_json()["model"]["chat_template"], "deep/chat.jinja");
  EXPECT_FALSE(load(head() + rl()).to_json()["model"].contains("chat_template"));
}

TEST_F(Load, AModelGivenBySetReplacesTheOtherKindInTheFile) {
  std::filesystem::create_directories("trained");
  std::ofstream("trained/config.json") << "{}";

  const RunConfig config = load(head() + rl(), {"model.path=trained"});

  EXPECT_EQ(config.model.path, "trained");
  EXPECT_EQ(config.model.config, "");
  EXPECT_THAT(report_.notices,
              ElementsAre("`config` in [model] (x.toml:2) is left out: --set gives the other"));
}

TEST_F(Load, TheReportSaysWhereEachValueCameFrom) {
  load(head() + rl(), {"train.lr=1"});

  EXPECT_EQ(origin_of("model", "config"), "x.toml:2");
  EXPECT_EQ(origin_of("train", "lr"), "--set");
  EXPECT_EQ(origin_of("train", "eps"), "default");
  EXPECT_EQ(origin_of("", "kind"), "x.toml:11");
  EXPECT_EQ(origin_of("train", "batch_size"), "not there");  // it has no effect in an rl stage
}

TEST_F(Load, TheJsonHoldsWhatDeterminesTheRunAndNothingElse) {
  const nlohmann::json json =
      load("[model]\nconfig = \"model.json\"\n[task]\nname = \"sums\"\n" + sft()).to_json();

  EXPECT_EQ(json["model"], nlohmann::json({{"config", "model.json"}, {"dtype", "float32"}}));
  EXPECT_EQ(json["stage"][0]["task"],
            nlohmann::json({{"name", "sums"}, {"digits", 3}, {"working", 0.5}}));
  EXPECT_EQ(json["stage"][0]["eval"], nlohmann::json({{"every", 0}}));
  EXPECT_FALSE(json["stage"][0].contains("algorithm"));
  EXPECT_FALSE(json["stage"][0]["rollout"].contains("prompts"));
  EXPECT_FALSE(json["stage"][0]["train"].contains("mini_batches"));
}

TEST_F(Load, TheJsonDoesNotDependOnHowTheFileIsWritten) {
  const std::string table =
      load(head() + rl() + "[stage.train]\nlr = 0.5\nwarmup = 1\n").to_json().dump();

  EXPECT_EQ(load(head() + rl() + "train = { warmup = 1, lr = 5e-1 }\n").to_json().dump(), table);
  EXPECT_EQ(load(head() + rl(), {"train.lr=0.5", "stage.1.train.warmup=1"}).to_json().dump(),
            table);
}

}  // namespace
}  // namespace qed
