#include "core/reward/scoring.h"

#include <gtest/gtest.h>

#include <cmath>

#include "qed/abi.h"
#include "tests/host/host_fixture.h"

namespace qed {
namespace {

class Scoring : public testing::Test {
 protected:
  // The task `moody` does with a completion what its text says.
  Scores score(const std::vector<std::string>& texts, double max_failure_frac) {
    std::vector<SampleView> samples;
    for (const std::string& text : texts) {
      samples.push_back({&item_, "p", "", text, {}, QED_FINISH_STOP, 0, samples.size()});
    }
    return Scorer(task_).score(samples, 1, max_failure_frac);
  }

  PluginHost host_{{test_plugins()}};
  Task task_{host_.load("task", "moody"), "{}", host_.abi()};
  const Item item_{"key", "blob"};
};

TEST_F(Scoring, FailuresAreCountedAndHaveNoReward) {
  const Scores s = score({"fine", "throw", "fine", "nan"}, 0.5);
  ASSERT_EQ(s.scores.size(), 4u);
  EXPECT_EQ(s.num_failed, 2);
  EXPECT_EQ(s.scores[0].reward, 0.25);
  EXPECT_TRUE(std::isnan(s.scores[1].reward));
  EXPECT_EQ(s.scores[2].reward, 0.25);
  EXPECT_TRUE(std::isnan(s.scores[3].reward));
}

TEST_F(Scoring, NoneFailsOfNone) {
  EXPECT_EQ(score({"fine", "fine"}, 0).num_failed, 0);
  EXPECT_TRUE(score({}, 0).scores.empty());
}

TEST_F(Scoring, MoreFailuresThanAllowedEndTheRunWithTheFirstReason) {
  const Failure f = failure_of([&] { score({"fine", "nan", "throw", "fine"}, 0.49); });
  EXPECT_EQ(f.message, "task `moody` could not score 2 of 4 completions (status " +
                           std::to_string(QED_INTERNAL) + "): the task gave the reward nan");
  EXPECT_EQ(f.hint, "mend the task, or raise rollout.max_failure_frac to train on the others");
  EXPECT_EQ(f.exit_code, kExitRunFailed);
  EXPECT_NO_THROW(score({"fine", "nan", "throw", "fine"}, 0.5));
  EXPECT_NO_THROW(score({"throw"}, 1));
}

}  // namespace
}  // namespace qed
