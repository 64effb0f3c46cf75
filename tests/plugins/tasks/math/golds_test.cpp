// The verifier on the gold answers of public data sets, and on answers that are nearly the same.

#include "tests/plugins/tasks/math/golds.h"
#include "verify.h"

#include <gtest/gtest.h>

#include <thread>

namespace qed {
namespace {

using math::Equality;

const math::Policy kStrict = *math::preset("strict");

class Golds : public testing::Test {
 protected:
  static void SetUpTestSuite() { golds_ = math_golds::all(); }
  void SetUp() override {
    if (golds_.empty()) GTEST_SKIP() << "no gold answers in ${QED_SHARED_DATA}/math: nothing run";
  }
  inline static std::vector<std::string> golds_;
};

// Written differently, so that equal bytes do not decide.
std::string rewritten(const std::string& gold) {
  std::string out = " ";
  for (const char c : gold) {
    if (c == '=' || c == '+') out += ' ';
    out += c;
  }
  for (auto at = out.find("\\frac{"); at != out.npos; at = out.find("\\frac{", at + 7)) {
    out.insert(at + 1, "d");
  }
  return out;
}

TEST_F(Golds, NearlyAllOfThemEqualThemselvesHoweverTheyAreWritten) {
  std::size_t num_equal = 0;
  std::string others;
  for (const std::string& gold : golds_) {
    const std::string_view view = gold;
    const auto v = math::verify({&view, 1}, "\\boxed{" + rewritten(gold) + "}", kStrict);
    if (v.equality == Equality::kEqual) {
      ++num_equal;
    } else {
      others += gold + ": " + std::string(math::text_of(v.reason)) + "\n";
    }
  }
  EXPECT_GE(static_cast<double>(num_equal), 0.995 * static_cast<double>(golds_.size())) << others;
}

TEST_F(Golds, NoNearMissIsRightAndTheOrderOfTheTwoDoesNotMatter) {
  std::size_t num_misses = 0;
  for (const std::string& gold : golds_) {
    for (const auto& miss : math_golds::near_misses(gold)) {
      const auto v = math::compare_answers(miss.gold, miss.answer, kStrict);
      EXPECT_NE(v.equality, Equality::kEqual) << miss.gold << " | " << miss.answer;
      if (++num_misses % 16 != 0) continue;
      const auto turned = math::compare_answers(miss.answer, miss.gold, kStrict);
      EXPECT_EQ(turned.equality == Equality::kEqual, v.equality == Equality::kEqual)
          << miss.gold << " | " << miss.answer;
    }
  }
  EXPECT_GE(num_misses, 20'000u);
}

TEST_F(Golds, EightThreadsComeToTheVerdictsOfOne) {
  constexpr std::size_t kThreads = 8, kVerdicts = 500;
  const auto verdict = [&](std::size_t i) {
    const std::string& gold = golds_[i * 7 % golds_.size()];
    const std::string& other = golds_[(i * 7 + i % 3) % golds_.size()];
    return math::compare_answers(gold, rewritten(other), kStrict).reason;
  };
  std::vector<math::Reason> serial;
  for (std::size_t i = 0; i < kVerdicts; ++i) serial.push_back(verdict(i));
  std::vector<std::size_t> num_different(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t k = 0; k < kVerdicts; ++k) {
        const std::size_t i = (k + t * 61) % kVerdicts;
        if (verdict(i) != serial[i]) ++num_different[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(num_different, std::vector<std::size_t>(kThreads, 0));
}

}  // namespace
}  // namespace qed
