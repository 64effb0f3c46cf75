#include "core/report/alarms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/util/files.h"
#include "tests/model/temporary_folder.h"

namespace qed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class AlarmsTest : public testing::Test {
 protected:
  std::vector<std::string> add(const std::string& metric, double value) {
    return alarms_.add("rl", {{"step", ++step_}, {metric, value}});
  }
  Alarms alarms_;
  double step_ = 0;
};

TEST_F(AlarmsTest, AMetricBeyondItsLimitIsSaidOnceUntilItHasBeenFineForFiveRows) {
  EXPECT_THAT(add("response_length/clip_ratio", 0.25), IsEmpty());
  EXPECT_THAT(add("response_length/clip_ratio", 0.5),
              ElementsAre("response_length/clip_ratio is 0.5: of the completions are cut by the "
                          "budget: raise rollout.max_new_tokens, or reward shorter answers"));
  EXPECT_THAT(add("response_length/clip_ratio", 0.6), IsEmpty());
  EXPECT_THAT(add("actor/lr", 1), IsEmpty());  // a row without it says nothing about it
  for (int i = 0; i < 4; ++i) EXPECT_THAT(add("response_length/clip_ratio", 0.1), IsEmpty());
  EXPECT_THAT(add("response_length/clip_ratio", 0.5), IsEmpty());  // it comes and goes
  for (int i = 0; i < 5; ++i) EXPECT_THAT(add("response_length/clip_ratio", 0.1), IsEmpty());
  EXPECT_THAT(add("response_length/clip_ratio", 0.5), testing::SizeIs(1));
}

TEST_F(AlarmsTest, EachHasItsLimitAndSaysWhatToDo) {
  EXPECT_THAT(add("training/rollout_probs_diff_mean", 0.02), ElementsAre(HasSubstr("[mismatch]")));
  EXPECT_THAT(add("rollout_corr/eff_sample_size", 0.4), ElementsAre(HasSubstr("train.epochs")));
  EXPECT_THAT(add("actor/pg_clipfrac", 0.31), ElementsAre(HasSubstr("train.lr")));
  EXPECT_THAT(add("group/frac_zero_std", 0.81), ElementsAre(HasSubstr("too hard")));
  EXPECT_THAT(add("reward/error_rate", 0.011), ElementsAre(HasSubstr("samples.jsonl")));
}

TEST_F(AlarmsTest, EntropyIsComparedWithTheFirstStepsByMeansOfTen) {
  for (int i = 0; i < 10; ++i) EXPECT_THAT(add("actor/entropy", 1.0), IsEmpty());
  for (int i = 0; i < 8; ++i) EXPECT_THAT(add("actor/entropy", 0.1), IsEmpty());
  EXPECT_THAT(add("actor/entropy", 0.1),
              ElementsAre(StartsWith("actor/entropy is 0.19 nats, at first it was 1 (means of 10 "
                                     "steps): the policy stops exploring")));
  EXPECT_THAT(add("actor/entropy", 0.1), IsEmpty());
  for (int i = 0; i < 6; ++i) EXPECT_THAT(add("actor/entropy", 3), IsEmpty());
  EXPECT_THAT(add("actor/entropy", 3), ElementsAre(HasSubstr("comes apart")));
}

TEST_F(AlarmsTest, AGradientTenTimesTheMedianIsSaidAndSkippedUpdatesDoNotCount) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(add("actor/grad_norm", 0.5), IsEmpty());
    EXPECT_THAT(add("actor/grad_norm", 0.0), IsEmpty());
  }
  EXPECT_THAT(add("actor/grad_norm", 5.1),
              ElementsAre(StartsWith("actor/grad_norm is 5.1, usually 0.5:")));
}

TEST_F(AlarmsTest, AFileReadAgainLeavesThemWhereTheyStood) {
  TemporaryFolder folder;
  write_file(folder / "metrics.jsonl",
             R"({"stage": "rl", "step": 1, "training/global_step": 9, "reward/error_rate": 0.5})"
             "\n");
  const auto raised = alarms_.replay(folder / "metrics.jsonl");
  ASSERT_EQ(raised.size(), 1u);
  EXPECT_EQ(raised[0].global_step, 9);
  EXPECT_THAT(raised[0].sentence, StartsWith("reward/error_rate is 0.5: "));
  step_ = 1;
  EXPECT_THAT(add("reward/error_rate", 0.5), IsEmpty());
}

TEST_F(AlarmsTest, ANewStageStartsAnew) {
  for (int i = 0; i < 10; ++i) add("actor/entropy", 1.0);
  step_ = 0;
  for (int i = 0; i < 11; ++i) EXPECT_THAT(add("actor/entropy", 0.1), IsEmpty());
}

}  // namespace
}  // namespace qed
