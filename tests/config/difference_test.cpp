#include "core/config/difference.h"

#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace qed {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Differences : public ConfigTest {
 protected:
  std::vector<std::string> texts(const std::vector<std::string>& sets,
                                 const std::string& file = "") {
    const std::string text = file.empty() ? head() + sft() + rl() : file;
    const nlohmann::json before = load(head() + sft() + rl()).to_json();
    std::vector<std::string> found;
    for (const Difference& d : differences(before, load(text, sets).to_json()))
      found.push_back(d.text());
    return found;
  }
};

TEST_F(Differences, AreNoneBetweenEqualConfigs) { EXPECT_THAT(texts({}), IsEmpty()); }

TEST_F(Differences, AreGivenOnceWhereAllStagesAgree) {
  EXPECT_THAT(texts({"train.lr=2e-4", "run.seed=3"}),
              ElementsAre("run.seed: 1 -> 3", "train.lr: 1e-6 -> 2e-4"));
}

TEST_F(Differences, NameTheStageWhereOnlyOneDiffers) {
  EXPECT_THAT(texts({"stage.2.train.lr=1", "stage.1.steps=5"}),
              ElementsAre("stage.1.steps: 4 -> 5", "stage.2.train.lr: 1e-6 -> 1"));
}

TEST_F(Differences, CountOnlyStagesThatHaveTheKey) {
  EXPECT_THAT(
      texts({"algorithm.name=plain"}),
      ElementsAre("algorithm.clip_high: 0.2 -> none", "algorithm.name: \"grpo\" -> \"plain\""));
}

TEST_F(Differences, NameStagesThatCameOrWent) {
  EXPECT_THAT(texts({}, head() + sft() + rl() + rl()), ElementsAre("stage.3: none -> \"rl\""));
}

TEST_F(Differences, OfAnEvaluationTouchNothingElse) {
  for (const std::string& text : texts({"eval.every=1"})) {
    EXPECT_TRUE(may_change_on_resume(text.substr(0, text.find(':')))) << text;
  }
}

TEST(MayChangeOnResume, HoldsForStepsEvalCheckpointAndLimitsOnly) {
  for (const char* key : {"stage.1.steps", "eval.every", "stage.2.eval.items", "checkpoint.keep",
                          "rollout.max_failure_frac", "stage.1.rollout.verify_timeout_s"}) {
    EXPECT_TRUE(may_change_on_resume(key)) << key;
  }
  for (const char* key :
       {"train.lr", "stage.1.kind", "stage.1.train.warmup", "stage.3", "run.seed", "task.steps"}) {
    EXPECT_FALSE(may_change_on_resume(key)) << key;
  }
}

}  // namespace
}  // namespace qed
