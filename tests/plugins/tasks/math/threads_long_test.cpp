// The verifier in many threads, at length.

#include "tests/plugins/tasks/math/golds.h"

#include <gtest/gtest.h>

namespace qed {
namespace {

TEST(Threads, EightComeToTheVerdictsOfOneAMillionTimes) {
  const std::vector<std::string> golds = math_golds::all();
  if (golds.empty()) GTEST_SKIP() << "no gold answers in ${QED_SHARED_DATA}/math: nothing run";
  EXPECT_EQ(math_golds::verdicts_that_differ(golds, 8, 1'000'000), 0u);
}

}  // namespace
}  // namespace qed
