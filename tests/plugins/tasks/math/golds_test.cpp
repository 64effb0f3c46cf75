// The verifier on the gold answers of public data sets, and on answers that are nearly the same.

#include "tests/plugins/tasks/math/golds.h"
#include "verify.h"

#include <gtest/gtest.h>

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

TEST_F(Golds, NearlyAllOfThemEqualThemselvesHoweverTheyAreWritten) {
  std::size_t num_equal = 0;
  std::string others;
  for (const std::string& gold : golds_) {
    const std::string_view view = gold;
    const auto v =
        math::verify({&view, 1}, "\\boxed{" + math_golds::rewritten(gold) + "}", kStrict);
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
  EXPECT_EQ(math_golds::verdicts_that_differ(golds_, 8, 5'000), 0u);
}

}  // namespace
}  // namespace qed
