#include "core/reward/scoring.h"

#include <gmock/gmock.h>
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
    const Scores out = Scorer(task_).score(samples, 1);
    check_failures(out, task_.name(), max_failure_frac);
    return out;
  }

  static RewardTerm term(const std::string& label, const std::string& name, double weight,
                         std::optional<double> gamma = {}) {
    RewardTerm out;
    out.label = label;
    out.name = name;
    out.weight = weight;
    out.gamma = gamma;
    return out;
  }

  Scores score(const Scorer& scorer, const std::vector<std::string>& texts) {
    std::vector<SampleView> samples;
    for (const std::string& text : texts) {
      samples.push_back({&item_, "p", "", text, tokens_, QED_FINISH_STOP, 0, samples.size()});
    }
    return scorer.score(samples, 1);
  }

  const std::vector<std::int32_t> tokens_ = {4, 5, 6};
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
  EXPECT_EQ(f.message,
            "task `moody` could not score 2 of 4 completions (status INTERNAL): the task gave the "
            "reward nan");
  EXPECT_EQ(f.hint, "mend the task, or raise rollout.max_failure_frac to train on the others");
  EXPECT_EQ(f.exit_code, kExitRunFailed);
  EXPECT_NO_THROW(score({"fine", "nan", "throw", "fine"}, 0.5));
  EXPECT_NO_THROW(score({"throw"}, 1));
}

TEST_F(Scoring, ExtraTermsAreWeighedAndAddedToTheTasksReward) {
  const Scorer scorer(task_, 3, {term("echo", "moody", 2)}, host_);
  EXPECT_THAT(scorer.terms(), testing::ElementsAre("first", "second", "task", "echo"));
  const Scores s = score(scorer, {"echo", "none"});
  EXPECT_EQ(s.scores[0].reward, 3 * 0.25 + 2 * 0.25);  // the term repeats the task's reward
  EXPECT_EQ(s.scores[0].terms[2], 0.25f);
  EXPECT_EQ(s.scores[0].terms[3], 0.25f);
  EXPECT_EQ(s.scores[1].reward, 3 * 0.25);  // nothing to say here
  EXPECT_TRUE(std::isnan(s.scores[1].terms[3]));
  EXPECT_TRUE(s.streams.empty());
}

TEST_F(Scoring, ATermThatFailsMasksTheCompletion) {
  const Scorer scorer(task_, 1, {term("echo", "moody", 1)}, host_);
  const Scores s = score(scorer, {"echo", "no value", "throw"});
  EXPECT_EQ(s.num_failed, 2);
  EXPECT_EQ(s.scores[0].reward, 0.5);
  EXPECT_TRUE(std::isnan(s.scores[1].reward));
  EXPECT_THAT(s.scores[1].note, testing::StartsWith("reward `echo`: no value for it"));
  EXPECT_THAT(s.scores[2].note, testing::StartsWith("no verdict on sample"));  // the task's own
}

TEST_F(Scoring, RewardsPerTokenAreAStreamOfTheirOwn) {
  const Scorer scorer(task_, 1, {term("dense", "moody_groups", 0.5, 0.9)}, host_);
  const Scores s = score(scorer, {"fine", "throw", "fine"});
  ASSERT_EQ(s.streams.size(), 1u);
  EXPECT_EQ(s.streams[0].label, "dense");
  EXPECT_EQ(s.streams[0].gamma, 0.9);
  EXPECT_THAT(s.streams[0].rewards,  // the plugin gives each token its completion's place
              testing::ElementsAre(testing::Each(0.0f), testing::ElementsAre(0, 0, 0),
                                   testing::ElementsAre(0.5f, 0.5f, 0.5f)));
  EXPECT_EQ(s.scores[2].reward, 0.25 + 0.5 * 2);  // without the tokens' rewards
}

TEST_F(Scoring, ALabelThatIsATermOfTheTaskIsRefused) {
  const Failure f = failure_of([&] { Scorer(task_, 1, {term("first", "moody", 1)}, host_); });
  EXPECT_EQ(f.message, "[reward] first: task `moody` has a term of this name");
  EXPECT_EQ(f.hint, "give it another label, with name = \"moody\"");
  EXPECT_EQ(f.exit_code, kExitUsage);
}

}  // namespace
}  // namespace qed
