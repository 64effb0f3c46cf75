#include "core/run/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/equal.h>
#include <algorithm>

#include "tests/host/host_fixture.h"
#include "tests/model/model_fixture.h"

namespace qed {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class Checkpoint : public testing::Test {
 protected:
  Checkpoint() {
    fs::create_directories(source_);
    write_file(source_ / "config.json", "{\"a config\": 1}");
    write_file(source_ / "tokenizer.json", "{}");
    write_file(source_ / "notes.txt", "not a tokenizer's file");
    model_.weights().init(1);
  }

  void write(std::int64_t global_step, std::int64_t keep = 2, EvalScore eval = {}) {
    write_checkpoint(folder_, source_ / "config.json", chat_template_, model_, optimizer_,
                     {.stage = 1,
                      .stage_step = 4,
                      .global_step = global_step,
                      .data = R"({"position":99})",
                      .metrics_bytes = 1234,
                      .samples_bytes = UINT64_MAX,
                      .eval = std::move(eval)},
                     {.keep = keep});
  }
  std::vector<std::string> entries(const fs::path& folder) {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder)) out.push_back(entry.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }

  void expect_same_weights(Transformer& other) {
    const auto ours = to_tensors(model_.weights(), model_.weights().flat());
    const auto theirs = to_tensors(other.weights(), other.weights().flat());
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      EXPECT_EQ(ours[i].data, theirs[i].data) << ours[i].name;
    }
  }

  TemporaryFolder temporary_;
  const fs::path source_ = temporary_ / "model", folder_ = temporary_ / "checkpoints";
  fs::path chat_template_;
  Transformer model_{tiny_config()};
  AdamW optimizer_{model_.weights()};
};

TEST_F(Checkpoint, HoldsAHuggingFaceFolderAndTheTrainersState) {
  write(20);
  EXPECT_THAT(entries(folder_), ElementsAre("20"));
  EXPECT_THAT(entries(folder_ / "20"),
              ElementsAre("DONE", "config.json", "model.safetensors", "optimizer.safetensors",
                          "tokenizer.json", "trainer.json"));
  EXPECT_EQ(read_file(folder_ / "20" / "config.json"), "{\"a config\": 1}");
}

TEST_F(Checkpoint, HoldsTheChatTemplateThatTheRunUsed) {
  write_file(source_ / "chat_template.jinja", "the folder's");
  write(20);
  EXPECT_EQ(read_file(folder_ / "20" / "chat_template.jinja"), "the folder's");

  chat_template_ = temporary_ / "mine.jinja";
  write_file(chat_template_, "the run file's");
  write(21);
  EXPECT_EQ(read_file(folder_ / "21" / "chat_template.jinja"), "the run file's");
}

TEST_F(Checkpoint, RestoresStateWeightsAndOptimizerToTheBit) {
  Rng rng(3);
  for (int step = 0; step < 3; ++step) {
    at::Tensor& grad = model_.weights().grad();
    for (std::int64_t i = 0; i < grad.numel(); ++i)
      grad.data_ptr<float>()[i] = static_cast<float>(rng.real());
    optimizer_.step({}, 1e-2);
  }
  write(20);

  const TrainerState state = read_trainer_state(folder_ / "20");
  EXPECT_EQ(state.stage, 1);
  EXPECT_EQ(state.stage_step, 4);
  EXPECT_EQ(state.global_step, 20);
  EXPECT_EQ(state.data, R"({"position":99})");
  EXPECT_EQ(state.metrics_bytes, 1234u);
  EXPECT_EQ(state.samples_bytes, UINT64_MAX);

  Transformer other(tiny_config());
  AdamW optimizer(other.weights());
  read_weights(folder_ / "20", other);
  read_optimizer(folder_ / "20", optimizer);
  EXPECT_EQ(optimizer.num_steps(), 3);
  expect_same_weights(other);
  optimizer_.write(temporary_ / "ours");
  optimizer.write(temporary_ / "theirs");
  EXPECT_EQ(read_file(temporary_ / "ours"), read_file(temporary_ / "theirs"));
}

TEST_F(Checkpoint, InBfloat16HoldsTheFloat32WeightsBesideTheModelsOwn) {
  Transformer half(tiny_config(), {.dtype = Dtype::kBfloat16});
  half.weights().flat().copy_(model_.weights().flat());
  half.weights().sync();
  fs::create_directories(folder_);
  write_weights(folder_, source_ / "config.json", half);
  EXPECT_THAT(entries(folder_),
              ElementsAre("config.json", "master.safetensors", "model.safetensors"));
  Transformer same(tiny_config(), {.dtype = Dtype::kBfloat16}), rounded(tiny_config());
  read_weights(folder_, same);
  expect_same_weights(same);
  EXPECT_TRUE(at::equal(same.weights().layers[1].down, half.weights().layers[1].down));
  EXPECT_TRUE(at::equal(same.weights().final_norm, half.weights().final_norm));
  read_weights(folder_, rounded);  // what generates, exactly
  EXPECT_TRUE(
      at::equal(rounded.weights().layers[1].down, half.weights().layers[1].down.to(at::kFloat)));
  EXPECT_TRUE(at::equal(rounded.weights().final_norm, half.weights().final_norm));
  fs::remove(folder_ / "master.safetensors");
  EXPECT_THAT(failure_of([&] { read_weights(folder_, same); }).message,
              HasSubstr("master.safetensors"));
}

TEST_F(Checkpoint, OnlyTheNewestAreKept) {
  for (const std::int64_t step : {5, 10, 100, 200}) write(step);
  EXPECT_THAT(entries(folder_), ElementsAre("100", "200"));
  write(1000, 1);
  EXPECT_THAT(entries(folder_), ElementsAre("1000"));
}

TEST_F(Checkpoint, TheBestByItsOwnEvaluationIsKeptBesideTheNewest) {
  write(5, 1, {"val-core/t/mean@1", 0.5, 5});
  write(10, 1, {"val-core/t/mean@1", 0.75, 10});
  write(15, 1, {"val-core/t/mean@1", 0.25, 15});
  write(20, 1, {"val-core/t/mean@1", 0.25, 15});  // not evaluated at its own step
  EXPECT_THAT(entries(folder_), ElementsAre("10", "20"));
  EXPECT_EQ(best_checkpoint(folder_), folder_ / "10");
  write(25, 1, {"val-core/t/mean@1", 0.75, 25});  // of equals the newest
  EXPECT_THAT(entries(folder_), ElementsAre("25"));
  write(30, 1, {"val-core/other/mean@1", 0.1, 30});  // by another metric nothing can be compared
  EXPECT_EQ(best_checkpoint(folder_), folder_ / "30");
  EXPECT_EQ(best_checkpoint(temporary_ / "none"), std::nullopt);
}

TEST_F(Checkpoint, AFailedWriteLeavesNothingHalfWritten) {
  write(20);
  chat_template_ = temporary_ / "gone.jinja";
  EXPECT_THROW(write(21), Error);
  EXPECT_THAT(entries(folder_), ElementsAre("20"));
}

TEST_F(Checkpoint, LatestIsTheGreatestNumberThatIsDone) {
  EXPECT_EQ(latest_checkpoint(folder_), std::nullopt);
  fs::create_directories(folder_);
  EXPECT_EQ(latest_checkpoint(folder_), std::nullopt);
  write(90, 9);
  write(100, 9);
  EXPECT_EQ(latest_checkpoint(folder_), folder_ / "100");
  for (const char* name : {"300", ".unfinished-400", "best", "500x"}) {
    fs::create_directories(folder_ / name);
    if (std::string_view(name) != "300") write_file(folder_ / name / "DONE", "");
  }
  EXPECT_EQ(latest_checkpoint(folder_), folder_ / "100");
}

TEST_F(Checkpoint, WhatAKilledRunLeftIsClearedAway) {
  for (const char* name : {".unfinished-10", ".unfinished-20", "20"}) {  // "20" has no DONE
    fs::create_directories(folder_ / name);
    write_file(folder_ / name / "model.safetensors", "half");
  }
  write(20);
  EXPECT_THAT(entries(folder_), ElementsAre("20"));
  EXPECT_NO_THROW(read_weights(folder_ / "20", model_));
}

TEST_F(Checkpoint, TheSameStepCanBeWrittenAgain) {
  write(20);
  model_.weights().init(2);
  write(20);
  Transformer other(tiny_config());
  read_weights(folder_ / "20", other);
  expect_same_weights(other);
  EXPECT_THAT(entries(folder_), ElementsAre("20"));
}

TEST_F(Checkpoint, ADamagedOneIsNamedWithTheWayOut) {
  write(20);
  const fs::path checkpoint = folder_ / "20", file = checkpoint / "trainer.json";
  const std::string begin = cat("the run cannot go on from ", checkpoint.string(), ": ");
  for (const char* text : {"", "[]", "{}", "{\"format\": 2}"}) {
    write_file(file, text);
    const Failure f = failure_of([&] { read_trainer_state(checkpoint); });
    EXPECT_EQ(f.message, begin + file.string() + " is not a trainer state that this qed can read");
    EXPECT_EQ(f.hint, cat("delete ", checkpoint.string(), ": then the same command starts again"));
  }
  write_file(file, "{\"format\": 1, \"stage\": \"two\"}");
  const Failure f = failure_of([&] { read_trainer_state(checkpoint); });
  EXPECT_THAT(f.message, HasSubstr(begin + "trainer.json is damaged: "));
}

TEST_F(Checkpoint, ADamagedOneIsNotTheBestAndTheRunGoesOnFromTheOneBefore) {
  write(20);
  write(40);
  fs::remove(folder_ / "40" / "trainer.json");
  EXPECT_EQ(best_checkpoint(folder_), std::nullopt);
  EXPECT_EQ(latest_checkpoint(folder_), folder_ / "40");
  const Failure f = failure_of([&] { read_trainer_state(folder_ / "40"); });
  EXPECT_EQ(f.hint, cat("delete ", (folder_ / "40").string(),
                        ": then the same command goes on from ", (folder_ / "20").string()));
  fs::remove(folder_ / "20" / "optimizer.safetensors");
  AdamW optimizer(model_.weights());
  const Failure g = failure_of([&] { read_optimizer(folder_ / "20", optimizer); });
  EXPECT_THAT(g.message, HasSubstr("the run cannot go on from " + (folder_ / "20").string()));
}

}  // namespace
}  // namespace qed
