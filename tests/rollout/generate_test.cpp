#include "core/rollout/generate.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/host/host_fixture.h"
#include "tests/rollout/scoring_fixture.h"

namespace qed {

namespace {

using Completions = std::vector<std::vector<Completion>>;

class Generate : public testing::Test {
 protected:
  Generate() {
    randomise(model_.weights(), 3);
    Rng rng(4);
    for (std::uint64_t r = 0; r < 9; ++r) {
      GenerateRequest& request = requests_.emplace_back();
      for (std::uint64_t t = 0; t <= r; ++t) {
        request.prompt.push_back(static_cast<std::int32_t>(rng.integer(0, 20)));
      }
      for (std::uint64_t s = 0; s <= r % 5; ++s) {
        request.samples.push_back({&plans_[(r + s) % plans_.size()], 100 * r + s});
      }
      request.max_new_tokens = 1 + static_cast<std::int64_t>(5 * r);
    }
  }

  Completions run(std::span<const GenerateRequest> requests, std::int64_t max_batch = 512) {
    return run(requests, {.max_batch = max_batch});
  }
  Completions run(std::span<const GenerateRequest> requests, const ScheduleOptions& schedule) {
    return generate(model_, requests, {.stop_ids = stop_ids_, .schedule = schedule});
  }

  Transformer model_{tiny_config()};
  std::vector<DrawPlan> plans_ = {
      DrawPlan::at_temperature(1), DrawPlan::at_temperature(0),
      DrawPlan({{QED_OP_TEMPERATURE, 0.7f}, {QED_OP_TOP_K, 9}, {QED_OP_TOP_P, 0.9f}}, 64)};
  std::vector<GenerateRequest> requests_;
  std::vector<std::int32_t> stop_ids_ = {1, 17};
};

TEST_F(Generate, GivesTheSameWhateverTheBatchHolds) {
  const Completions all = run(requests_);
  for (const std::int64_t max_batch : {1, 3, 7})
    EXPECT_TRUE(run(requests_, max_batch) == all) << max_batch;
  for (std::size_t r = 0; r < requests_.size(); ++r) {
    EXPECT_TRUE(run(std::span(requests_).subspan(r, 1))[0] == all[r])
        << "request " << r << " alone";
  }
}

TEST_F(Generate, GivesTheSameWhateverTheOrderOfRequests) {
  Completions all = run(requests_);
  std::reverse(requests_.begin(), requests_.end());
  std::reverse(all.begin(), all.end());
  EXPECT_TRUE(run(requests_) == all);
  EXPECT_TRUE(run(requests_, 3) == all);
}

TEST_F(Generate, GivesTheSameWithAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Completions one = run(requests_);
  at::set_num_threads(3);
  EXPECT_TRUE(run(requests_) == one);
  at::set_num_threads(before);
}

TEST_F(Generate, ASampleDoesNotDependOnTheOthersOfItsRequest) {
  const Completions all = run(requests_);
  GenerateRequest one = requests_[8];
  one.samples = {requests_[8].samples[2]};
  EXPECT_TRUE(run(std::span(&one, 1))[0][0] == all[8][2]);
}

TEST_F(Generate, EndsAtAStopIdOrAtTheLength) {
  std::size_t num_stopped = 0, num_cut = 0;
  for (std::size_t r = 0; const auto& group : run(requests_)) {
    const auto budget = static_cast<std::size_t>(requests_[r++].max_new_tokens);
    for (const Completion& c : group) {
      const auto is_stop = [&](std::int32_t id) { return id == 1 || id == 17; };
      ASSERT_FALSE(c.tokens.empty());
      ASSERT_LE(c.tokens.size(), budget);
      EXPECT_EQ(std::count_if(c.tokens.begin(), c.tokens.end() - 1, is_stop), 0);
      const bool stopped = is_stop(c.tokens.back());  // also at the last token of the budget
      EXPECT_EQ(c.finish, stopped ? QED_FINISH_STOP : QED_FINISH_LENGTH);
      EXPECT_TRUE(stopped || c.tokens.size() == budget);
      ++(stopped ? num_stopped : num_cut);
    }
  }
  EXPECT_GT(num_stopped, 0u);
  EXPECT_GT(num_cut, 0u);
}

TEST_F(Generate, KeepsTheSupportOfEveryToken) {
  const Completions all = run(requests_);
  std::size_t num_truncated = 0;
  for (std::size_t r = 0; r < all.size(); ++r) {
    for (std::size_t s = 0; s < all[r].size(); ++s) {
      const Completion& c = all[r][s];
      ASSERT_EQ(c.behavior_logp.size(), c.tokens.size());
      ASSERT_EQ(c.support_size.size(), c.tokens.size());
      auto ids = c.support.begin();
      for (std::size_t t = 0; t < c.tokens.size(); ++t) {
        const auto end = ids + c.support_size[t];
        if (ids != end) {
          EXPECT_TRUE(std::binary_search(ids, end, c.tokens[t])) << "the token is in its support";
          ++num_truncated;
        }
        ids = end;
      }
      EXPECT_EQ(ids, c.support.end());
      EXPECT_EQ(c.inv_temperature, requests_[r].samples[s].plan->inv_temperature());
    }
  }
  EXPECT_GT(num_truncated, 0u);
}

TEST_F(Generate, AnotherKeyIsAnotherCompletion) {
  stop_ids_.clear();
  requests_[8].samples = {
      {&plans_[0], 1}, {&plans_[0], 2}, {&plans_[0], 1}, {&plans_[1], 1}, {&plans_[1], 2}};
  const auto group = run(std::span(requests_).subspan(8, 1))[0];
  EXPECT_NE(group[0].tokens, group[1].tokens);
  EXPECT_TRUE(group[0] == group[2]);
  EXPECT_TRUE(group[3] == group[4]) << "a greedy completion has no key";
}

TEST_F(Generate, ThatExceedsTheWindowIsRefused) {
  requests_[3].max_new_tokens = 60;  // a prompt of 4: exactly the window of 64
  EXPECT_NO_THROW(run(requests_));
  requests_[3].max_new_tokens = 61;
  const Failure f = failure_of([&] { run(requests_); });
  EXPECT_EQ(f.message, "a prompt of 4 tokens and 61 new ones exceed the model's window of 64");
  EXPECT_EQ(f.hint, "lower rollout.max_new_tokens");
  requests_[3].prompt.assign(65, 2);
  EXPECT_EQ(failure_of([&] { run(requests_); }).message,
            "a prompt of 65 tokens and 61 new ones exceed the model's window of 64");
}

TEST_F(Generate, OfNothingIsNothing) {
  EXPECT_TRUE(run({}).empty());
  requests_.resize(1);
  requests_[0].samples.clear();
  const Completions none = run(requests_);
  ASSERT_EQ(none.size(), 1u);
  EXPECT_TRUE(none[0].empty());
}

}  // namespace
}  // namespace qed
