#include "core/rollout/memory_plan.h"

#include <gtest/gtest.h>

#include "tests/host/host_fixture.h"
#include "tests/model/model_fixture.h"

namespace qed {
namespace {

constexpr std::int64_t kPlenty = std::int64_t{1} << 40;

// Two layers, two heads of keys and values of 8; values are padded to 16.
constexpr std::int64_t kBlockBytes = 2 * 2 * (8 + 16) * 4 * 16;

TEST(MemoryPlan, GivesAllThatTheRequestsCanUseWhereThereIsRoom) {
  const std::vector<SampleGroup> groups = {{20, 1, 12}, {20, 3, 12}};
  const MemoryPlan plan = plan_memory(tiny_config(), 1000, groups, {.max_batch = 8}, kPlenty);
  EXPECT_EQ(plan.block_bytes, kBlockBytes);
  // Alone: 32 positions. Of the group: a full block shared, a partial one, and one for each.
  EXPECT_EQ(plan.num_blocks, 2 + 1 + 1 + 3);
  EXPECT_EQ(plan.most_blocks, plan.num_blocks);
  EXPECT_EQ(plan.kv_bytes(), 7 * kBlockBytes);
  EXPECT_EQ(plan.logits_bytes, 4 * 21 * 4);
  EXPECT_EQ(plan.activations_bytes, (4 + 40) * (3 * 24 + 2 * 64 + 32) * 4);
  EXPECT_EQ(plan.total_bytes(),
            1000 + plan.kv_bytes() + plan.logits_bytes + plan.activations_bytes);
  EXPECT_EQ(
      plan.text(16),
      "needs 83.2 KiB: weights 1000 B, KV 42.0 KiB (7 blocks of 16 positions, 6.00 KiB each), "
      "logits 336 B, activations 39.9 KiB");
}

TEST(MemoryPlan, TakesFourFifthsOfWhatIsLeft) {
  const std::vector<SampleGroup> groups = {{20, 100, 12}};
  const MemoryPlan all = plan_memory(tiny_config(), 0, groups, {}, kPlenty);
  const std::int64_t rest = all.logits_bytes + all.activations_bytes;
  const MemoryPlan less = plan_memory(tiny_config(), 0, groups, {}, rest + 50 * kBlockBytes);
  EXPECT_EQ(less.num_blocks, 40);
  EXPECT_LT(less.num_blocks, all.num_blocks);
  EXPECT_EQ(plan_memory(tiny_config(), 0, groups, {.num_blocks = 33}, kPlenty).num_blocks, 33);
}

TEST(MemoryPlan, ThatDoesNotFitIsRefusedWithItsNumbers) {
  const std::vector<SampleGroup> groups = {{20, 4, 12}};
  const Failure kv = failure_of([&] { plan_memory(tiny_config(), 0, groups, {}, 20'000); });
  EXPECT_EQ(
      kv.message,
      "generation needs 40.1 KiB: weights 0 B, KV 18.0 KiB (3 blocks of 16 positions, 6.00 KiB "
      "each), logits 336 B, activations 21.8 KiB; this machine has 19.5 KiB free");
  EXPECT_EQ(kv.hint, "lower rollout.max_new_tokens or rollout.max_batch");
  const Failure weights = failure_of([&] {
    plan_memory(tiny_config(), 900'000, groups, {}, 20'000,
                {.max_new_tokens = "--max-new-tokens", .max_batch = "-b", .dtype = "--dtype"});
  });
  EXPECT_EQ(weights.hint, "set --dtype to bfloat16, or use a smaller model");
}

}  // namespace
}  // namespace qed
