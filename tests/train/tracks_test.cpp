#include "core/train/tracks.h"

#include <map>

#include "core/train/forward.h"
#include "core/util/parallel.h"
#include "tests/train/update_fixture.h"

namespace qed {
namespace {

using testing::ElementsAre;

class Tracks : public Update {
 protected:
  ~Tracks() override { set_num_threads(1); }

  // Rows of each micro-batch.
  std::vector<std::int64_t> sizes(const Experience& e, std::int64_t micro_tokens) {
    std::vector<std::int64_t> out;
    const auto cut = track_batches(model_, e.sequences, micro_tokens);
    for (std::size_t i = 0; i + 1 < cut.size(); ++i) {
      const auto part = std::span(e.sequences).subspan(cut[i], cut[i + 1] - cut[i]);
      out.push_back(pack(part, Prompts::kShared).id.size(0));
    }
    return out;
  }
};

TEST_F(Tracks, ThreadsChangeNoBitOfAGradient) {
  const Experience e = trained_on();
  for (const std::int64_t micro_tokens : {40, 111, 1 << 20}) {
    options_.recompute = micro_tokens == 111;
    std::map<int, at::Tensor> policy, imitation;
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      policy[threads] = gradient(e, rows(e), micro_tokens);
      model_.weights().grad().zero_();
      demonstration_gradient(model_, e.sequences, micro_tokens, options_.recompute);
      imitation[threads] = model_.weights().grad().clone();
    }
    for (const int threads : {2, 3}) {
      EXPECT_TRUE(policy[threads].equal(policy[1])) << micro_tokens << " rows, " << threads;
      EXPECT_TRUE(imitation[threads].equal(imitation[1])) << micro_tokens << " rows, " << threads;
    }
  }
}

TEST_F(Tracks, ATrackFollowsTheWeightsAndKeepsNoGradient) {
  const Experience e = trained_on();
  ASSERT_EQ(num_tracks(model_), kTracks);
  gradient(e, rows(e));
  AdamW(model_.weights()).step({}, 0.1);
  const Packed packed = pack(e.sequences, Prompts::kShared);
  const at::Tensor now = token_logp(model_, packed).logp;
  for (Transformer* track : open_tracks(model_)) {
    EXPECT_TRUE(token_logp(*track, packed).logp.equal(now));
    EXPECT_EQ(at::abs(track->weights().grad()).max().item<float>(), 0);
  }
}

TEST_F(Tracks, MicroBatchesAreEvenAndWithinTheirBudget) {
  const Experience e = experience(DrawPlan::at_temperature(1));
  std::int64_t longest = 0;
  for (const Sequence& s : e.sequences) longest = std::max(longest, s.num_rows());
  for (const std::int64_t micro_tokens : {80, 120, 200, 1000}) {
    const std::vector<std::int64_t> found = sizes(e, micro_tokens);
    const auto [least, most] = std::ranges::minmax(found);
    EXPECT_LE(most, micro_tokens / 2);
    EXPECT_LE(found.size() % kTracks, found.size() > kTracks ? 1u : 0u) << micro_tokens;
    EXPECT_LE(most - least, 2 * longest) << micro_tokens;
  }
  EXPECT_EQ(sizes(e, 1000).size(), kTracks);
  EXPECT_EQ(sizes(e, 1).size(), e.num_seqs());  // a sequence is never cut
}

TEST_F(Tracks, WhatIsBetweenRunsInOrderAfterItsForwardAndBeforeItsBackward) {
  set_num_threads(2);
  std::vector<int> state(7);
  std::vector<std::size_t> order;
  run_tracks(model_, state.size(),
             {.forward = [&](std::size_t i) { state[i] += 1; },
              .between =
                  [&](std::size_t i) {
                    EXPECT_EQ(state[i], 1);
                    order.push_back(i);
                  },
              .backward = [&](std::size_t i) { state[i] += 10; }});
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(state, testing::Each(11));
}

TEST_F(Tracks, AModelThatIsNotSmallHasOne) {
  ModelConfig config = tiny_config();
  config.hidden_size = 512;
  config.intermediate_size = 1024;
  Transformer large(config, {.is_trainable = false});
  ASSERT_FALSE(large.is_small());
  EXPECT_THAT(open_tracks(large), ElementsAre(&large));
  const Experience e = experience(DrawPlan::at_temperature(1));
  EXPECT_EQ(track_batches(large, e.sequences, 111), micro_batches(e.sequences, 111));
}

}  // namespace
}  // namespace qed
