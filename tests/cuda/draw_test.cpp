// The GPU's draw, run on the CPU, against the draw of generation: the same random numbers give the
// same tokens, the same supports and, but for rounding, the same log-probs.

#include "core/cuda/kernels/draw.h"
#include "core/rollout/draw.h"
#include "tests/cuda/host_block.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace qed::cuda {
namespace {

constexpr std::int64_t kVocab = 700;
constexpr std::int32_t kMaxSupport = 64;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Case {
  std::vector<SampleOp> ops;
  DrawInput in = {};
};

// What generation makes of a plan's ops, as the GPU takes them.
struct DeviceOps {
  std::vector<DrawOp> ops;
  float inv_temperature = 1;
  bool is_greedy = false;

  explicit DeviceOps(const std::vector<SampleOp>& from) {
    double temperature = 1;
    for (const SampleOp& op : from) {
      if (op.op == QED_OP_TEMPERATURE) {
        is_greedy = is_greedy || op.value == 0;
        if (op.value > 0) temperature *= op.value;
        inv_temperature = static_cast<float>(1 / temperature);
        continue;
      }
      ops.push_back({op.op, op.value, inv_temperature, static_cast<std::int32_t>(op.ids.size()),
                     op.ids.data(), op.values.data()});
      if (op.op < QED_OP_REPETITION) continue;
      temperature = 1;
      inv_temperature = 1;
    }
    if (is_greedy) inv_temperature = 1;
  }
};

struct Drawn {
  std::uint32_t status = 99;
  std::int32_t token = -1;
  float behavior_logp = NAN, logp = NAN;
  std::vector<std::int32_t> support;
};

Drawn draw_on_gpu(const Case& c, std::uint64_t key, std::uint64_t position) {
  const DeviceOps ops(c.ops);
  const DrawRow row{.key = key,
                    .position = position,
                    .inv_temperature = ops.inv_temperature,
                    .is_greedy = ops.is_greedy,
                    .ops = ops.ops.data(),
                    .prompt = c.in.prompt.data(),
                    .completion = c.in.completion.data(),
                    .banned = c.in.banned.data(),
                    .allowed = c.in.allowed.empty() ? nullptr : c.in.allowed.data(),
                    .num_ops = static_cast<std::int32_t>(ops.ops.size()),
                    .num_prompt = static_cast<std::int32_t>(c.in.prompt.size()),
                    .num_completion = static_cast<std::int32_t>(c.in.completion.size()),
                    .num_banned = static_cast<std::int32_t>(c.in.banned.size())};
  std::vector<float> scratch(kVocab, NAN);
  std::vector<std::int32_t> counts(kVocab), support(kMaxSupport, -1);
  std::int32_t size = -1;
  Drawn out;
  run_blocks(DrawBody{{.rows = 1,
                       .vocab = kVocab,
                       .max_support = kMaxSupport,
                       .reserved = 0,
                       .logits = c.in.logits.data(),
                       .row = &row,
                       .scratch = scratch.data(),
                       .counts = counts.data(),
                       .status = &out.status,
                       .token = &out.token,
                       .behavior_logp = &out.behavior_logp,
                       .logp = &out.logp,
                       .support = support.data(),
                       .support_size = &size}},
             1);
  EXPECT_EQ(counts, std::vector<std::int32_t>(kVocab));
  if (out.status == kDrawn) out.support.assign(support.begin(), support.begin() + size);
  return out;
}

// Draws often; all must agree.
void expect_the_cpus(Case c, int draws = 40) {
  const DrawPlan plan(c.ops, kMaxSupport);
  DrawScratch scratch;
  for (int i = 0; i < draws; ++i) {
    const auto logits = random_floats(kVocab, static_cast<unsigned>(i), 3);
    c.in.logits = logits;
    const std::uint64_t key = 1000 + static_cast<std::uint64_t>(i), position = 7;
    const DrawPlan::Draw cpu = plan.draw(c.in, key, position, scratch);
    const Drawn gpu = draw_on_gpu(c, key, position);
    ASSERT_EQ(gpu.status, kDrawn);
    ASSERT_EQ(gpu.token, cpu.token) << i;
    ASSERT_EQ(gpu.support, cpu.support) << i;
    ASSERT_NEAR(gpu.behavior_logp, cpu.behavior_logp, 2e-6) << i;
    ASSERT_NEAR(gpu.logp, cpu.logp, 2e-6) << i;
  }
}

TEST(Draw, AtATemperatureIsTheCpus) {
  expect_the_cpus({{}});
  expect_the_cpus({{{QED_OP_TEMPERATURE, 0.6f}}});
  expect_the_cpus({{{QED_OP_TEMPERATURE, 1.7f}, {QED_OP_TEMPERATURE, 0.9f}}});
}

TEST(Draw, OfTheLikeliestIsTheCpus) {
  expect_the_cpus({{{QED_OP_TEMPERATURE, 0.0f}}});
  expect_the_cpus({{{QED_OP_TEMPERATURE, 0.0f}, {QED_OP_TOP_K, 5}}});
}

TEST(Draw, WithATruncationIsTheCpus) {
  for (const float k : {1.0f, 2.0f, 50.0f, 64.0f, 65.0f, 10000.0f}) {
    expect_the_cpus({{{QED_OP_TEMPERATURE, 0.8f}, {QED_OP_TOP_K, k}}}, 10);
  }
  for (const float p : {0.01f, 0.5f, 0.9f, 0.95f}) {
    expect_the_cpus({{{QED_OP_TEMPERATURE, 0.8f}, {QED_OP_TOP_P, p}}}, 10);
  }
  for (const float p : {0.02f, 0.3f, 1.0f}) {
    expect_the_cpus({{{QED_OP_TEMPERATURE, 1.2f}, {QED_OP_MIN_P, p}}}, 10);
  }
}

TEST(Draw, WithTruncationsOneAfterAnotherIsTheCpus) {
  expect_the_cpus({{{QED_OP_TOP_K, 40},
                    {QED_OP_TEMPERATURE, 0.7f},
                    {QED_OP_TOP_P, 0.9f},
                    {QED_OP_MIN_P, 0.05f}}});
}

TEST(Draw, WithPenaltiesIsTheCpus) {
  const std::vector<std::int32_t> prompt = {1, 2, 3, 2, 600}, completion = {5, 5, 5, 3, 699, 0};
  const DrawInput in{.logits = {}, .prompt = prompt, .completion = completion};
  expect_the_cpus({{{QED_OP_REPETITION, 1.3f}}, in});
  expect_the_cpus({{{QED_OP_PRESENCE, 0.7f}}, in});
  expect_the_cpus({{{QED_OP_FREQUENCY, 0.4f}}, in});
  expect_the_cpus({{{QED_OP_TEMPERATURE, 0.7f},
                    {QED_OP_REPETITION, 1.3f},
                    {QED_OP_TOP_P, 0.9f},
                    {QED_OP_FREQUENCY, 0.4f},
                    {QED_OP_TEMPERATURE, 1.1f},
                    {QED_OP_TOP_K, 20}},
                   in});
}

TEST(Draw, WithBiasBansAndAMaskIsTheCpus) {
  const std::vector<std::int32_t> banned = {4, 17, 4};
  std::vector<std::uint8_t> allowed((kVocab + 7) / 8, 0);
  for (std::size_t i = 0; i < allowed.size(); i += 3) allowed[i] = 0x5a;
  const SampleOp bias{QED_OP_LOGIT_BIAS, 0, {3, 9, 3}, {2.5f, -4, 1}};
  const SampleOp ban{QED_OP_BAN, 0, {11, 12, 13}, {}};
  expect_the_cpus({{bias}});
  expect_the_cpus({{ban, {QED_OP_TEMPERATURE, 0.5f}}});
  expect_the_cpus({{{QED_OP_TOP_K, 30}, ban, bias}});
  expect_the_cpus({{}, {.logits = {}, .banned = banned}});
  expect_the_cpus({{}, {.logits = {}, .allowed = allowed}});
  expect_the_cpus(
      {{{QED_OP_TOP_P, 0.8f}, bias}, {.logits = {}, .banned = banned, .allowed = allowed}});
}

TEST(Draw, TakesTheLowerIdOfEqualLogits) {
  std::vector<float> logits(kVocab, -5);
  logits[40] = logits[500] = logits[501] = 3;
  logits[600] = -0.0f;
  const Drawn greedy = draw_on_gpu({{{QED_OP_TEMPERATURE, 0.0f}}, {.logits = logits}}, 1, 1);
  EXPECT_EQ(greedy.token, 40);
  EXPECT_EQ(greedy.support, std::vector<std::int32_t>{40});
  EXPECT_EQ(greedy.behavior_logp, 0);
  const Drawn two = draw_on_gpu({{{QED_OP_TOP_K, 2}}, {.logits = logits}}, 1, 1);
  EXPECT_EQ(two.support, (std::vector<std::int32_t>{40, 500}));
  EXPECT_NEAR(two.behavior_logp, std::log(0.5f), 1e-6);
}

TEST(Draw, SaysWhyThereIsNoToken) {
  std::vector<float> logits = random_floats(kVocab, 3);
  std::vector<std::int32_t> all(kVocab);
  for (std::int32_t i = 0; i < kVocab; ++i) all[static_cast<std::size_t>(i)] = i;
  EXPECT_EQ(draw_on_gpu({{}, {.logits = logits, .banned = all}}, 1, 1).status, kNothingToDraw);
  const SampleOp ban{QED_OP_BAN, 0, all, {}};
  EXPECT_EQ(draw_on_gpu({{ban}, {.logits = logits}}, 1, 1).status, kNothingToDraw);
  const SampleOp bias{QED_OP_LOGIT_BIAS, 0, {1}, {kInfinity}};
  EXPECT_EQ(draw_on_gpu({{bias}, {.logits = logits}}, 1, 1).status, kOpsNotFinite);
  logits[9] = NAN;
  EXPECT_EQ(draw_on_gpu({{}, {.logits = logits}}, 1, 1).status, kLogitsNotFinite);
}

}  // namespace
}  // namespace qed::cuda
