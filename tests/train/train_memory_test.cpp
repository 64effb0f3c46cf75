#include "core/train/train_memory.h"

#include <gtest/gtest.h>

#include "tests/host/host_fixture.h"
#include "tests/model/model_fixture.h"

namespace qed {
namespace {

constexpr std::int64_t kWeights = 10'000;

Stage rl_stage() {
  Stage stage;
  stage.kind = "rl";
  stage.rollout.prompts = 2;
  stage.rollout.group_size = 4;
  stage.rollout.max_new_tokens = 40;
  stage.train.micro_tokens = 100;
  return stage;
}

TEST(TrainMemory, CountsWhatAMicroBatchKeepsAndTheStateOfAdamW) {
  const TrainMemory plan = plan_training(tiny_config(), kWeights, rl_stage());
  EXPECT_EQ(plan.weights_bytes, 40'000);
  EXPECT_EQ(plan.gradient_bytes, 40'000);
  EXPECT_EQ(plan.optimizer_bytes, 80'000);
  // A layer: 4 of 24, 32 queries, 2 x 16 keys and values, 32 of attention, 4 heads, 3 of 40.
  const std::int64_t kept = 2 * (4 * 24 + 64 + 32 + 4 + 3 * 40);
  const std::int64_t passing = 4 * 24 + 3 * 40 + 64, ends = 3 * 24;
  EXPECT_EQ(plan.activations_bytes, 100 * (kept + passing + ends) * 4);
  EXPECT_EQ(plan.logits_bytes, 100 * 21 * 4);
  EXPECT_EQ(plan.kv_bytes, 3 * 2 * 2 * (8 + 16) * 4 * 16);  // three pages
  EXPECT_EQ(plan.text(),
            "567 KiB: weights 39.1 KiB, gradient 39.1 KiB, optimizer 78.1 KiB, activations 384 "
            "KiB, logits 8.20 KiB, KV at least 18.0 KiB");
}

TEST(TrainMemory, OfLayersThatAreComputedAgainIsTheirInputAndOneLayer) {
  Stage stage = rl_stage();
  const TrainMemory kept = plan_training(tiny_config(), kWeights, stage);
  stage.train.checkpointing = true;
  const TrainMemory again = plan_training(tiny_config(), kWeights, stage);
  const std::int64_t layer = 4 * 24 + 64 + 32 + 4 + 3 * 40;
  EXPECT_EQ(kept.activations_bytes - again.activations_bytes,
            100 * (2 * layer - layer - 2 * 2 * 24) * 4);
}

TEST(TrainMemory, OfFewSequencesIsThatOfTheirRows) {
  Stage stage = rl_stage();
  stage.train.micro_tokens = 1'000'000;
  const TrainMemory all = plan_training(tiny_config(), kWeights, stage);
  stage.train.micro_tokens = 8 * 64;  // eight sequences in a window of 64
  EXPECT_EQ(plan_training(tiny_config(), kWeights, stage).activations_bytes, all.activations_bytes);
  stage.kind = "sft";
  stage.train.batch_size = 4;
  const TrainMemory sft = plan_training(tiny_config(), kWeights, stage);
  EXPECT_EQ(2 * sft.activations_bytes, all.activations_bytes);
  EXPECT_EQ(sft.kv_bytes, 0);
}

TEST(TrainMemory, ThatDoesNotFitIsRefusedWithItsNumbers) {
  const TrainMemory plan = plan_training(tiny_config(), kWeights, rl_stage());
  check_memory(plan, plan.total_bytes());
  const Failure activations = failure_of([&] { check_memory(plan, plan.total_bytes() - 1); });
  EXPECT_EQ(activations.message,
            cat("training needs ", plan.text(), "; this machine has 567 KiB free"));
  EXPECT_EQ(activations.hint, "lower train.micro_tokens, or set train.checkpointing");
  EXPECT_EQ(failure_of([&] { check_memory(plan, 150'000); }).hint,
            "use a smaller model, or a machine with more memory");
}

}  // namespace
}  // namespace qed
