// How often a draw gives each token, against the exact distribution; and that fast selection keeps
// what a full sort would keep.

#include <gtest/gtest.h>

#include <array>

#include "core/util/parallel.h"
#include "qed/philox.h"
#include "tests/rollout/draw_fixture.h"

namespace qed {
namespace {

// The chance that a right sampler deviates at least so much: chi-square's upper tail, by Wilson and
// Hilferty's cube root.
double p_value(double chi_square, double freedom) {
  const double spread = 2 / (9 * freedom);
  const double z = (std::cbrt(chi_square / freedom) - (1 - spread)) / std::sqrt(spread);
  return 0.5 * std::erfc(z / std::sqrt(2.0));
}

TEST(PValue, IsThatOfTheTables) {
  EXPECT_NEAR(p_value(31.41, 20), 0.05, 1e-3);
  EXPECT_NEAR(p_value(18.47, 4), 0.001, 2e-4);
}

// No logit beyond 2.5, so that a million draws expect enough of every token.
const std::vector<float> kLogits = {0.3f,  -1.2f, 2.5f, 0.0f,  1.1f,  -0.4f, 0.9f,
                                    -2.0f, 1.7f,  0.2f, -0.7f, -1.6f, 2.2f,  0.6f,
                                    -0.1f, 1.3f,  0.5f, -0.9f, -2.3f, 0.8f,  1.9f};
const std::vector<std::int32_t> kPrompt = {2, 2, 12, 7}, kCompletion = {8, 20, 8, 3, 12, 8};
const std::vector<std::uint8_t> kMask = {0b11010110, 0b01110111, 0b00011};

struct Case {
  std::vector<SampleOp> ops;
  bool is_masked = false;
  std::vector<std::int32_t> banned = {};
};

DrawInput input(const Case& c) {
  return {.logits = kLogits,
          .prompt = kPrompt,
          .completion = kCompletion,
          .banned = c.banned,
          .allowed =
              c.is_masked ? std::span<const std::uint8_t>(kMask) : std::span<const std::uint8_t>()};
}

class Distribution : public testing::TestWithParam<Case> {};

constexpr std::int64_t kDraws = 1'000'000;

// Counts tokens of many draws, and checks what each recorded.
std::vector<std::int64_t> count_draws(const Case& c, const std::vector<double>& expected) {
  set_num_threads(2);
  constexpr std::int64_t kPieces = 20;
  std::vector<std::array<std::int64_t, 21>> counts(kPieces);
  const DrawPlan plan(c.ops, kAll);
  const DrawInput in = input(c);
  parallel_for(kPieces, 1, [&](std::int64_t begin, std::int64_t end) {
    DrawScratch scratch;
    for (std::int64_t i = begin * kDraws / kPieces; i < end * kDraws / kPieces; ++i) {
      const std::uint64_t key = KeyHash().add("draw").add(i / 50).value();
      const auto drawn = plan.draw(in, key, i % 50, scratch);
      ++counts[i * kPieces / kDraws][drawn.token];
      if (i % 500 != 0) continue;
      ASSERT_GT(expected[drawn.token], 0);
      ASSERT_NEAR(drawn.behavior_logp, std::log(expected[drawn.token]), 3e-6);
      ASSERT_EQ(plan.behavior_logp(in, drawn.token, drawn.support, scratch), drawn.behavior_logp);
    }
  });
  std::vector<std::int64_t> total(21);
  for (const auto& piece : counts) {
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += piece[i];
  }
  return total;
}

TEST_P(Distribution, OfAMillionDrawsIsTheExactOne) {
  const std::vector<double> expected = exact(input(GetParam()), GetParam().ops);
  const auto count = count_draws(GetParam(), expected);
  double chi_square = 0, freedom = -1;
  for (std::size_t i = 0; i < count.size(); ++i) {
    if (expected[i] == 0) {
      EXPECT_EQ(count[i], 0) << "token " << i;
      continue;
    }
    const double mean = kDraws * expected[i], off = static_cast<double>(count[i]) - mean;
    chi_square += off * off / mean;
    ++freedom;
  }
  EXPECT_GT(p_value(chi_square, freedom), 1e-3) << chi_square << " with " << freedom << " freedoms";
}

const SampleOp kRepetition = {QED_OP_REPETITION, 1.3f}, kPresence = {QED_OP_PRESENCE, 0.4f},
               kFrequency = {QED_OP_FREQUENCY, 0.3f}, kBan = {QED_OP_BAN, 0, {2, 5, 20}},
               kBias = {QED_OP_LOGIT_BIAS, 0, {0, 7, 18}, {1.5f, 2, 1}};

INSTANTIATE_TEST_SUITE_P(OneOp, Distribution,
                         testing::Values(Case{{}}, Case{{temperature(0.7f)}},
                                         Case{{temperature(1.6f)}}, Case{{top_k(5)}},
                                         Case{{top_p(0.8f)}}, Case{{min_p(0.1f)}},
                                         Case{{kRepetition}}, Case{{kPresence}}, Case{{kFrequency}},
                                         Case{{kBias}}, Case{{kBan}}, Case{{}, true},
                                         Case{{}, false, {2, 12}}));

INSTANTIATE_TEST_SUITE_P(
    Combined, Distribution,
    testing::Values(Case{{temperature(0.7f), top_k(9), top_p(0.85f)}},
                    Case{{top_p(0.9f), top_k(6), temperature(1.3f)}},
                    Case{{top_p(0.8f), temperature(3.0f)}},
                    Case{{temperature(2.0f), top_k(12), temperature(0.8f), top_p(0.6f)}},
                    Case{{temperature(1.5f), min_p(0.05f), top_p(0.95f)}},
                    Case{{kRepetition, kPresence, kFrequency, temperature(0.8f), top_k(12),
                          top_p(0.9f), min_p(0.02f)}},
                    Case{{temperature(0.6f), kBias, top_p(0.9f), kBan, temperature(1.7f)}},
                    Case{{top_k(10), kFrequency, top_k(7), kPresence}, true},
                    Case{{kBan, top_p(0.7f), kRepetition}, true, {8, 16}}));

// A row that looks like a model's: a few likely ids, a long tail, and ties.
std::vector<float> long_row(std::size_t n, double spread, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> row(n);
  for (float& z : row) {
    double sum = 0;
    for (int i = 0; i < 6; ++i) sum += rng.real() - 0.5;
    z = static_cast<float>(std::round(spread * sum * 64) / 64);
  }
  return row;
}

TEST(KeptIds, AreThoseThatAFullSortWouldKeep) {
  const std::vector<std::vector<SampleOp>> plans = {
      {top_k(1)},
      {top_k(50)},
      {top_k(3000)},
      {top_p(0.5f)},
      {top_p(0.999f)},
      {min_p(0.05f)},
      {min_p(1e-6f)},
      {temperature(0.7f), top_k(200), top_p(0.9f)},
      {top_p(0.9f), top_p(0.5f), min_p(0.01f)},
      {top_p(0.95f), kFrequency, top_k(1000), temperature(1.5f), top_p(0.8f)},
      {kBan, min_p(0.001f), top_k(40)}};
  for (const std::size_t n : {1ul, 21ul, 64ul, 65ul, 5000ul, 152'064ul}) {
    for (const double spread : {0.5, 6.0}) {
      const std::vector<float> row = long_row(n, spread, n);
      const DrawInput in{.logits = row,
                         .completion = n > 20 ? std::span(kCompletion) : std::span<const int>()};
      for (std::size_t p = 0; p < plans.size(); ++p) {
        if (n < 21 && p > 8) continue;
        Oracle oracle(in);
        for (const SampleOp& op : plans[p]) oracle.apply(op);
        for (const std::size_t max_support : {64ul, 1'000'000ul}) {
          const auto drawn =
              draw(DrawPlan(plans[p], static_cast<std::int64_t>(max_support)), in, 5, p);
          const std::size_t num_possible = p == 10 ? n - 3 : n;  // the last plan bans three
          std::vector<std::int32_t> expected;
          if (oracle.support(n).size() < num_possible) expected = oracle.support(max_support);
          ASSERT_EQ(drawn.support, expected) << n << " ids, plan " << p << ", " << max_support;
        }
      }
    }
  }
}

TEST(DrawPlan, OfALongRowIsExactToTheLastBlock) {
  constexpr std::size_t kSize = 5000;
  const std::vector<float> row = long_row(kSize, 1, 3);
  const auto expected = exact({.logits = row}, {});
  std::vector<double> share(5), count(5);  // by thousand
  for (std::size_t i = 0; i < kSize; ++i) share[i / 1000] += expected[i];
  DrawScratch scratch;
  const DrawPlan plan({}, kAll);
  constexpr int kFew = 20'000;
  for (int i = 0; i < kFew; ++i) ++count[plan.draw({row}, 11, i, scratch).token / 1000];
  double chi_square = 0;
  for (std::size_t b = 0; b < 5; ++b) {
    const double mean = kFew * share[b];
    chi_square += (count[b] - mean) * (count[b] - mean) / mean;
  }
  EXPECT_GT(p_value(chi_square, 4), 1e-3) << chi_square;
}

}  // namespace
}  // namespace qed
