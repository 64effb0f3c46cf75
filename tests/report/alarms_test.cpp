#include "core/report/alarms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

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

TEST_F(AlarmsTest, AStepWithoutSignalSaysWhyAndGroupsAloneAreNotSaidBeside) {
  const auto row = [&](double adv, double share, const char* all, double rounds) {
    return alarms_.add("rl", {{"step", ++step_},
                              {"critic/advantages/max", adv},
                              {"critic/advantages/min", -adv},
                              {"actor/num_updates", adv},
                              {"group/frac_zero_std", share},
                              {all, 1},
                              {"train/num_gen_batches", rounds}});
  };
  const std::string said = "every advantage is 0, so no weight was changed: ";
  EXPECT_THAT(row(0, 1, "group/frac_all_0", 1),
              ElementsAre(said + "no completion is right; choose easier items, or warm up with "
                                 "demonstrations"));
  EXPECT_THAT(row(0, 1, "group/frac_all_0", 1), IsEmpty());
  for (int i = 0; i < 5; ++i) EXPECT_THAT(row(1, 0.5, "group/frac_mixed", 1), IsEmpty());
  EXPECT_THAT(row(0, 1, "group/frac_all_1", 3),
              ElementsAre("every advantage is 0 in 3 rounds of prompts, so no weight was changed: "
                          "every completion is right; choose harder items"));
  EXPECT_THAT(row(1, 0.9, "group/frac_mixed", 1), ElementsAre(HasSubstr("rollout.group_size")));
}

TEST_F(AlarmsTest, AnUpdateOfTheCriticAloneIsNotAStepWithoutSignal) {
  EXPECT_THAT(alarms_.add("rl", {{"step", 1},
                                 {"critic/advantages/max", 1},
                                 {"critic/advantages/min", -1},
                                 {"actor/num_updates", 0},
                                 {"group/frac_zero_std", 0}}),
              IsEmpty());
}

TEST_F(AlarmsTest, WhatIsNotANumberIsSaid) {
  EXPECT_THAT(add("critic/rewards/mean", std::nan("")),
              ElementsAre("critic/rewards/mean is not a number: look at this step's samples"));
  EXPECT_THAT(add("sft/loss", HUGE_VAL), ElementsAre(StartsWith("sft/loss is not a number")));
  EXPECT_THAT(add("ratio/max", std::nan("")), IsEmpty());  // no forward
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
             R"({"stage": "rl", "step": 1, "training/global_step": 9, "reward/error_rate": 0.5,)"
             R"( "actor/entropy": null})"
             "\n");
  const auto raised = alarms_.replay(folder / "metrics.jsonl");
  ASSERT_EQ(raised.size(), 2u);
  EXPECT_THAT(raised[1].sentence, StartsWith("actor/entropy is not a number"));
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
