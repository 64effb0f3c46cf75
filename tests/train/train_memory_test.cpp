#include "core/train/train_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/model/model_facts.h"
#include "tests/host/host_fixture.h"
#include "tests/model/model_fixture.h"

namespace qed {
namespace {

const TrainedModels kModels{tiny_config()};
const std::int64_t kAll = weights_bytes(tiny_config(), Dtype::kFloat32);

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
  const TrainMemory plan = plan_training(kModels, rl_stage());
  EXPECT_EQ(plan.weights_bytes, kAll);
  EXPECT_EQ(plan.gradient_bytes, kAll);
  EXPECT_EQ(plan.optimizer_bytes, 2 * kAll);
  // A layer: 4 of 24, 32 queries, 2 x 16 keys and values, 32 of attention, 4 heads, 3 of 40.
  const std::int64_t kept = 2 * (4 * 24 + 64 + 32 + 4 + 3 * 40);
  const std::int64_t passing = 4 * 24 + 3 * 40 + 64, ends = 3 * 24;
  const std::int64_t turned = 80 * 32;  // of the MLP's first matrix, [80, 24]
  EXPECT_EQ(plan.activations_bytes, (100 * (kept + passing + ends) + turned) * 4);
  EXPECT_EQ(plan.logits_bytes, 100 * 21 * 4);
  EXPECT_EQ(plan.kv_bytes, 3 * 2 * 2 * (8 + 16) * 4 * 16);  // three pages
  EXPECT_EQ(plan.text(),
            "629 KiB: weights 52.1 KiB, gradient 52.1 KiB, optimizer 104 KiB, activations 394 "
            "KiB, logits 8.20 KiB, KV at least 18.0 KiB");
}

TEST(TrainMemory, OfLayersThatAreComputedAgainIsTheirInputAndOneLayer) {
  Stage stage = rl_stage();
  const TrainMemory kept = plan_training(kModels, stage);
  stage.train.checkpointing = true;
  const TrainMemory again = plan_training(kModels, stage);
  const std::int64_t layer = 4 * 24 + 64 + 32 + 4 + 3 * 40;
  EXPECT_EQ(kept.activations_bytes - again.activations_bytes,
            100 * (2 * layer - layer - 2 * 2 * 24) * 4);
}

TEST(TrainMemory, OfFewSequencesIsThatOfTheirRows) {
  Stage stage = rl_stage();
  stage.train.micro_tokens = 1'000'000;
  const TrainMemory all = plan_training(kModels, stage);
  stage.train.micro_tokens = 8 * 64;  // eight sequences in a window of 64
  EXPECT_EQ(plan_training(kModels, stage).activations_bytes, all.activations_bytes);
  stage.kind = "sft";
  stage.train.batch_size = 4;
  const TrainMemory sft = plan_training(kModels, stage);
  EXPECT_EQ(2 * sft.activations_bytes, all.activations_bytes + 80 * 32 * 4);
  EXPECT_EQ(sft.kv_bytes, 0);
}

TEST(TrainMemory, HoldsTheReferenceAndTheCritic) {
  const TrainMemory policy = plan_training(kModels, rl_stage());
  TrainedModels models = kModels;
  models.has_reference = true;
  EXPECT_EQ(plan_training(models, rl_stage()).reference_bytes, kAll);
  models.critic = tiny_config();
  models.critic->value_head = true;
  const TrainMemory both = plan_training(models, rl_stage());
  EXPECT_EQ(both.critic_bytes, 4 * weights_bytes(*models.critic, Dtype::kFloat32));
  EXPECT_EQ(both.activations_bytes, 2 * policy.activations_bytes);
  EXPECT_EQ(both.total_bytes(),
            policy.total_bytes() + kAll + both.critic_bytes + policy.activations_bytes);
  EXPECT_THAT(both.text(), testing::ContainsRegex(", reference .*, critic .*, activations "));
  EXPECT_EQ(failure_of([&] { check_memory(both, both.models_bytes() - 1); }).hint,
            "use an algorithm without a critic, a smaller model, or a larger machine");
}

TEST(TrainMemory, InBfloat16HasTheRoundedCopyBesideTheWeights) {
  TrainedModels models = kModels;
  models.dtype = Dtype::kBfloat16;
  models.has_reference = true;
  models.critic = tiny_config();
  const TrainMemory plan = plan_training(models, rl_stage());
  EXPECT_EQ(plan.weights_bytes, kAll / 2 * 3);
  EXPECT_EQ(plan.gradient_bytes, kAll);
  EXPECT_EQ(plan.optimizer_bytes, 2 * kAll);
  EXPECT_EQ(plan.critic_bytes, kAll / 2 * 9);
  EXPECT_EQ(plan.reference_bytes, weights_bytes(tiny_config(), Dtype::kBfloat16));
}

TEST(TrainMemory, ThatDoesNotFitIsRefusedWithItsNumbers) {
  const TrainMemory plan = plan_training(kModels, rl_stage());
  check_memory(plan, plan.total_bytes());
  const Failure activations = failure_of([&] { check_memory(plan, plan.total_bytes() - 1); });
  EXPECT_EQ(activations.message,
            cat("training needs ", plan.text(), "; this machine has 629 KiB free"));
  EXPECT_EQ(activations.hint, "lower train.micro_tokens, or set train.checkpointing");
  EXPECT_EQ(failure_of([&] { check_memory(plan, 3 * kAll); }).hint,
            "use a smaller model, or a machine with more memory");
}

}  // namespace
}  // namespace qed
