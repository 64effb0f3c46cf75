#include "core/host/reward.h"

#include "tests/host/host_fixture.h"

#include <gmock/gmock.h>

#include <cmath>

namespace qed {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

// Completions with one text each, which the task gave 0.5, `format` 0.25 and the verdict RIGHT.
class Completions {
 public:
  explicit Completions(const std::vector<std::string>& texts) : texts_(texts) {
    samples_.reserve(texts.size());
    for (const std::string& text : texts_) {
      samples_.push_back({.item = &item_,
                          .prompt = "p",
                          .prefill = "",
                          .text = text,
                          .tokens = tokens_,
                          .finish = QED_FINISH_STOP,
                          .group = 0,
                          .index = samples_.size(),
                          .max_new_tokens = 96});
      views_.push_back({&samples_.back(), 0.5, QED_VERDICT_RIGHT, names_, terms_});
    }
  }
  std::span<const ScoredView> views() const { return views_; }

 private:
  std::vector<std::string> texts_, names_ = {"correct", "format"};
  std::vector<float> terms_ = {1, 0.25f};
  std::vector<std::int32_t> tokens_ = {7, 8, 9};
  Item item_ = {"key", "blob"};
  std::vector<SampleView> samples_;
  std::vector<ScoredView> views_;
};

class RewardFace : public testing::Test {
 protected:
  std::vector<RewardScore> score(const Reward& reward, const std::vector<std::string>& texts) {
    return reward.score(Completions(texts).views(), 1);
  }
  RewardScore score(const std::string& text) { return score(moody_, {text}).front(); }

  PluginHost host_{{test_plugins()}};
  Reward moody_{host_.load("reward", "moody"), "{}", host_.abi()};
  Reward groups_{host_.load("reward", "moody_groups"), "{}", host_.abi()};
};

TEST_F(RewardFace, SaysWhatTheComponentWants) {
  EXPECT_EQ(moody_.name(), "moody");
  EXPECT_FALSE(moody_.by_group());
  EXPECT_FALSE(moody_.has_token_rewards());
  EXPECT_TRUE(groups_.by_group());
  EXPECT_TRUE(groups_.has_token_rewards());
}

TEST_F(RewardFace, TheRewardSeesWhatTheTaskSaid) {
  const RewardScore s = score("fine");
  EXPECT_EQ(s.status, QED_OK);
  EXPECT_EQ(s.value, 0.5 + 10 * 0.25);
  EXPECT_TRUE(s.applies);
  EXPECT_THAT(s.tokens, IsEmpty());
  EXPECT_EQ(s.note, "right");
  EXPECT_EQ(score("budget").value, 96);
}

TEST_F(RewardFace, ARewardMayHaveNothingToSay) {
  const RewardScore s = score("none");
  EXPECT_EQ(s.status, QED_OK);
  EXPECT_FALSE(s.applies);
}

TEST_F(RewardFace, AFailureIsNeverAValue) {
  const std::tuple<std::string, std::int32_t, std::string> cases[] = {
      {"nan", QED_INTERNAL, "the reward gave the value nan"},
      {"inf", QED_INTERNAL, "the reward gave the value inf"},
      {"throw", QED_DATA, "no value for `throw`"},
      {"untouched", QED_INTERNAL, "status INTERNAL without a message"},
  };
  for (const auto& [text, status, note] : cases) {
    const RewardScore s = score(text);
    EXPECT_EQ(s.status, status) << text;
    EXPECT_TRUE(std::isnan(s.value)) << text;
    EXPECT_EQ(s.note, note) << text;
  }
}

TEST_F(RewardFace, ABadSampleSpoilsOnlyItself) {
  const auto scores = score(moody_, {"fine", "throw", "fine"});
  EXPECT_EQ(scores[0].status, QED_OK);
  EXPECT_EQ(scores[1].status, QED_DATA);
  EXPECT_EQ(scores[2].value, 3);
  EXPECT_THAT(score(moody_, {}), IsEmpty());
}

TEST_F(RewardFace, APendingSampleIsAskedAgain) { EXPECT_EQ(score("pending").status, QED_OK); }

TEST_F(RewardFace, NotesAreCut) { EXPECT_EQ(score("long note").note, std::string(4096, 'n')); }

TEST_F(RewardFace, WholeGroupsArriveTogetherAndTokensGetRewards) {
  const auto scores = score(groups_, {"a", "b"});
  EXPECT_EQ(scores[0].value, 2);
  EXPECT_THAT(scores[0].tokens, ElementsAre(0, 0, 0));
  EXPECT_THAT(scores[1].tokens, ElementsAre(1, 1, 1));
}

TEST_F(RewardFace, ATokenWithoutAFiniteRewardIsAFailure) {
  const auto scores = score(groups_, {"a", "nan token"});
  EXPECT_EQ(scores[0].status, QED_OK);
  EXPECT_EQ(scores[1].status, QED_INTERNAL);
  EXPECT_EQ(scores[1].note, "the reward gave nan for token 2");
  EXPECT_THAT(scores[1].tokens, Each(0));
}

TEST_F(RewardFace, AFailureOfTheCallIsOneOfAllSamples) {
  for (const RewardScore& s : score(groups_, {"a", "spoil"})) {
    EXPECT_EQ(s.status, QED_RESOURCE);
    EXPECT_EQ(s.note, "the group is spoilt");
    EXPECT_TRUE(std::isnan(s.value));
  }
}

}  // namespace
}  // namespace qed
