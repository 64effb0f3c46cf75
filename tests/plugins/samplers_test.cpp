// The first-party samplers, through the host.

#include "core/host/sampler.h"
#include "tests/host/host_fixture.h"
#include "tests/host/options.h"

#include <gmock/gmock.h>

#include <numbers>

namespace qed {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using Ops = std::vector<std::pair<std::uint32_t, float>>;

class Samplers : public testing::Test {
 protected:
  // Step `step` of 11, completion `index` of its group.
  Ops plan(const std::string& name, const json& options, std::uint64_t step = 1,
           std::uint64_t index = 0) {
    const Component& component = host_.load("sampler", name);
    const Sampler sampler(component, options_with(component.spec, options), host_.abi());
    const qed_request request = {sizeof(qed_request), QED_STAGE_TRAIN, step, 11, index, 4, 100};
    Ops out;
    for (const SampleOp& op : sampler.plan(request, 0)) out.push_back({op.op, op.value});
    return out;
  }
  float temperature(const json& options, std::uint64_t step) {
    const Ops ops = plan("anneal", options, step);
    return ops.empty() ? 1.0f : ops.front().second;
  }

  PluginHost host_{{product_plugins()}};
};

TEST_F(Samplers, WhatIsOffIsNotAskedFor) {
  EXPECT_THAT(plan("standard", {}), IsEmpty());
  EXPECT_THAT(plan("anneal", {}), IsEmpty());
  EXPECT_THAT(plan("greedy_one", {}, 1, 1), IsEmpty());
}

TEST_F(Samplers, StandardPlansPenaltiesThenTemperatureThenTruncation) {
  const json options = {{"temperature", 0.5},      {"top_k", 40},
                        {"top_p", 0.25},           {"min_p", 0.125},
                        {"repetition_penalty", 2}, {"presence_penalty", 0.5},
                        {"frequency_penalty", -1}};
  EXPECT_THAT(plan("standard", options),
              ElementsAre(std::pair(QED_OP_REPETITION, 2.0f), std::pair(QED_OP_PRESENCE, 0.5f),
                          std::pair(QED_OP_FREQUENCY, -1.0f), std::pair(QED_OP_TEMPERATURE, 0.5f),
                          std::pair(QED_OP_TOP_K, 40.0f), std::pair(QED_OP_TOP_P, 0.25f),
                          std::pair(QED_OP_MIN_P, 0.125f)));
}

TEST_F(Samplers, GreedyNeedsNoTruncation) {
  EXPECT_THAT(plan("standard", {{"temperature", 0}, {"top_k", 4}, {"presence_penalty", 1}}),
              ElementsAre(std::pair(QED_OP_PRESENCE, 1.0f), std::pair(QED_OP_TEMPERATURE, 0.0f)));
}

TEST_F(Samplers, GreedyOneIsGreedyForTheFirstOfAGroup) {
  const json options = {{"temperature", 0.5}, {"top_p", 0.25}};
  EXPECT_THAT(plan("greedy_one", options, 3, 0), ElementsAre(std::pair(QED_OP_TEMPERATURE, 0.0f)));
  for (const std::uint64_t index : {1, 2, 3}) {
    EXPECT_EQ(plan("greedy_one", options, 3, index), plan("standard", options));
  }
}

TEST_F(Samplers, AnnealGoesFromStartToEndOverTheStage) {
  const json options = {{"temperature_start", 1.5}, {"temperature_end", 0.5}};
  EXPECT_EQ(temperature(options, 1), 1.5f);
  EXPECT_EQ(temperature(options, 2), 1.4f);
  EXPECT_TRUE(plan("anneal", options, 6).empty());  // 1: off
  EXPECT_EQ(temperature(options, 11), 0.5f);
  EXPECT_EQ(temperature(options, 12), 0.5f);
  EXPECT_EQ(temperature(options, 0), 1.5f);  // an evaluation before the first step
}

TEST_F(Samplers, AnnealMayTakeASpanOfItsOwn) {
  const json options = {{"temperature_start", 2}, {"temperature_end", 4}, {"span", 5}};
  EXPECT_EQ(temperature(options, 1), 2.0f);
  EXPECT_EQ(temperature(options, 3), 3.0f);
  EXPECT_EQ(temperature(options, 5), 4.0f);
  EXPECT_EQ(temperature(options, 9), 4.0f);
  json at_once = options;
  at_once["span"] = 1;
  EXPECT_EQ(temperature(at_once, 1), 4.0f);
}

TEST_F(Samplers, AnnealMayFollowACosine) {
  const json options = {{"temperature_start", 2}, {"temperature_end", 4}, {"shape", "cosine"}};
  EXPECT_EQ(temperature(options, 1), 2.0f);
  EXPECT_NEAR(temperature(options, 2), 3 - std::cos(std::numbers::pi / 10), 1e-6);
  EXPECT_FLOAT_EQ(temperature(options, 6), 3.0f);
  EXPECT_EQ(temperature(options, 11), 4.0f);
}

TEST_F(Samplers, AnnealMovesEveryKnob) {
  const json options = {{"top_k_start", 10},
                        {"top_k_end", 21},
                        {"top_p_start", 0.5},
                        {"top_p_end", 1},
                        {"min_p_start", 0},
                        {"min_p_end", 0.5},
                        {"repetition_penalty_start", 1},
                        {"repetition_penalty_end", 2},
                        {"presence_penalty_start", -1},
                        {"presence_penalty_end", 0},
                        {"frequency_penalty_start", 0},
                        {"frequency_penalty_end", 1}};
  EXPECT_THAT(plan("anneal", options, 6),
              ElementsAre(std::pair(QED_OP_REPETITION, 1.5f), std::pair(QED_OP_PRESENCE, -0.5f),
                          std::pair(QED_OP_FREQUENCY, 0.5f), std::pair(QED_OP_TOP_K, 16.0f),
                          std::pair(QED_OP_TOP_P, 0.75f), std::pair(QED_OP_MIN_P, 0.25f)));
}

TEST_F(Samplers, AnnealRefusesAWayFromAllTokens) {
  const auto f = failure_of([&] { plan("anneal", {{"top_k_end", 5}}); });
  EXPECT_THAT(f.message, testing::HasSubstr("there is no way from `top_k` 0"));
}

}  // namespace
}  // namespace qed
