// The plugins that the learning tests lean on: two controls and a small task.

#include "core/host/algorithm.h"
#include "core/host/task.h"
#include "qed/hash.h"
#include "tests/host/host_fixture.h"
#include "tests/host/options.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace qed {
namespace {

class Controls : public testing::Test {
 protected:
  std::vector<float> advantage(const std::string& name, const TestBatch& batch) {
    const Component& component = host_.load("algorithm", name);
    const Algorithm algorithm(component, options_with(component.spec), host_.abi());
    TestAdvantage out(batch);
    auto abi = out.abi();
    MetricSums metrics;
    algorithm.advantage(batch.abi(), abi, metrics, 0);
    return out.adv;
  }

  PluginHost host_{{product_plugins(), test_plugins()}};
};

TestBatch uneven_batch() {
  TestBatch batch;
  for (std::uint64_t b = 0; b < 32; ++b)
    batch.add(b / 8, static_cast<float>(b * b % 7), 2, b % 9 != 4);
  return batch;
}

TEST_F(Controls, FlippedIsGrpoWithTheOtherSign) {
  const auto grpo = advantage("grpo", uneven_batch());
  const auto flipped = advantage("grpo_flipped", uneven_batch());
  for (std::size_t t = 0; t < grpo.size(); ++t) EXPECT_EQ(flipped[t], -grpo[t]);
}

TEST_F(Controls, ShuffledDealsOutTheRewardsOfOneGroup) {
  TestBatch batch;
  for (int b = 0; b < 12; ++b) batch.add(0, static_cast<float>(b), 1, b != 5);
  auto grpo = advantage("grpo", batch), shuffled = advantage("grpo_shuffled", batch);
  EXPECT_EQ(shuffled[5], 0.0f);
  EXPECT_NE(shuffled, grpo);
  std::ranges::sort(grpo), std::ranges::sort(shuffled);
  EXPECT_EQ(shuffled, grpo);
}

TEST_F(Controls, ShuffledMixesGroupsAndChangesWithTheStepOnly) {
  TestBatch batch;
  for (std::uint64_t b = 0; b < 64; ++b) batch.add(b / 8, b < 32 ? 1.0f : 0.0f, 1);
  EXPECT_THAT(advantage("grpo", batch), testing::Each(0.0f));
  const auto first = advantage("grpo_shuffled", batch);
  EXPECT_THAT(first, testing::Not(testing::Each(0.0f)));
  EXPECT_EQ(advantage("grpo_shuffled", batch), first);
  batch.step = 2;
  EXPECT_NE(advantage("grpo_shuffled", batch), first);
}

TEST_F(Controls, LargestHasAThousandItemsInTwoSplits) {
  const Task task(host_.load("task", "largest"), "{}", host_.abi());
  std::set<std::string> keys;
  for (const std::string split : {"train", "test"}) {
    for (std::uint64_t i = 0; i < task.count(split); ++i) {
      const Item item = task.load(split, i);
      EXPECT_EQ(crc32(item.key) % 5 == 0, split == "test");
      keys.insert(item.key);
    }
  }
  EXPECT_EQ(keys.size(), 1000u);
  EXPECT_EQ(task.render({"385", "385"}).text, "385>");
}

TEST_F(Controls, LargestScoresTheLargestDigit) {
  const Task task(host_.load("task", "largest"), "{}", host_.abi());
  const Item item{"385", "385"};
  EXPECT_EQ(task.demonstrate(item, "", 0), "8");
  const std::tuple<std::string, std::uint32_t, double> cases[] = {
      {"8", QED_FINISH_STOP, 1},  {"8", QED_FINISH_LENGTH, 0},   {"", QED_FINISH_STOP, 0},
      {"5", QED_FINISH_STOP, 0},  {"88", QED_FINISH_STOP, 0.25}, {"8777", QED_FINISH_STOP, 0.125},
      {"38", QED_FINISH_STOP, 0},
  };
  for (const auto& [text, finish, reward] : cases) {
    const SampleView view = {.item = &item,
                             .prompt = {},
                             .prefill = {},
                             .text = text,
                             .tokens = {},
                             .finish = finish,
                             .group = 0,
                             .index = 0};
    const Score s = task.verify(std::span(&view, 1), 0).front();
    EXPECT_EQ(s.status, QED_OK);
    EXPECT_EQ(s.reward, reward) << text;
    EXPECT_EQ(s.verdict == QED_VERDICT_RIGHT, reward == 1);
  }
}

}  // namespace
}  // namespace qed
