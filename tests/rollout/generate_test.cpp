#include "core/rollout/generate.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

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

// Tokens as letters: id 0 is "a".
std::string_view letter(std::int32_t id) {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstu";
  return {kLetters + id, 1};
}

std::string letters(const std::vector<std::int32_t>& tokens) {
  std::string text;
  for (const std::int32_t id : tokens) text += letter(id);
  return text;
}

TEST_F(Generate, EndsAtAStopStringAndKeepsItsTokens) {
  stop_ids_.clear();
  const Completions whole = run(requests_);
  std::size_t num_ended = 0;
  for (std::size_t r = 0; r < whole.size(); ++r) {
    for (std::size_t s = 0; s < whole[r].size(); ++s) {
      GenerateRequest one = requests_[r];
      one.samples = {requests_[r].samples[s]};
      const std::string text = letters(whole[r][s].tokens);
      if (text.size() < 9) continue;
      one.stop = {"?", text.substr(5, 3)};
      const auto c =
          generate(model_, std::span(&one, 1), {.stop_ids = {}, .token_bytes = letter})[0][0];
      const std::size_t end = text.find(one.stop[1]) + 3;
      EXPECT_EQ(letters(c.tokens), text.substr(0, end));
      EXPECT_EQ(c.finish, QED_FINISH_STOP);
      ASSERT_TRUE(c.match);
      EXPECT_EQ(c.match->string, 1u);
      EXPECT_EQ(c.match->tail, 3u);
      one.min_new_tokens = static_cast<std::int64_t>(end) + 1;
      EXPECT_GT(generate(model_, std::span(&one, 1), {.stop_ids = {}, .token_bytes = letter})[0][0]
                    .tokens.size(),
                end);
      ++num_ended;
    }
  }
  EXPECT_GT(num_ended, 5u);
}

TEST_F(Generate, DrawsNoStopIdBeforeTheLeastLength) {
  for (GenerateRequest& r : requests_)
    r.min_new_tokens = std::min<std::int64_t>(9, r.max_new_tokens);
  for (std::size_t r = 0; const auto& group : run(requests_)) {
    const std::int64_t least = requests_[r++].min_new_tokens;
    for (const Completion& c : group) EXPECT_GE(static_cast<std::int64_t>(c.tokens.size()), least);
  }
}

TEST_F(Generate, TellsOfEveryTokenInItsOrder) {
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::int32_t>> told;
  GenerateOptions options{.stop_ids = stop_ids_, .schedule = {.max_batch = 5}};
  options.on_token = [&](std::size_t r, std::size_t s, const Completion& c) {
    told[{r, s}].push_back(c.tokens.back());
    EXPECT_EQ(told[std::pair(r, s)].size(), c.tokens.size());
  };
  const Completions all = generate(model_, requests_, options);
  for (std::size_t r = 0; r < all.size(); ++r) {
    for (std::size_t s = 0; s < all[r].size(); ++s) {
      EXPECT_EQ((told[{r, s}]), all[r][s].tokens);
    }
  }
}

TEST_F(Generate, ThatIsCancelledGivesWhatIsThere) {
  stop_ids_.clear();
  const Completions all = run(requests_);
  std::atomic<bool> cancel = false;
  std::size_t num_tokens = 0;
  GenerateOptions options{.stop_ids = {}, .schedule = {.max_batch = 9}};
  options.cancel = &cancel;
  options.on_token = [&](std::size_t, std::size_t, const Completion&) {
    cancel = ++num_tokens >= 40;
  };
  const Completions some = generate(model_, requests_, options);
  std::size_t num_aborted = 0, num_left = 0;
  for (std::size_t r = 0; r < all.size(); ++r) {
    for (std::size_t s = 0; s < all[r].size(); ++s) {
      const Completion &a = all[r][s], &b = some[r][s];
      num_left += b.tokens.size();
      ASSERT_LE(b.tokens.size(), a.tokens.size());
      EXPECT_TRUE(std::equal(b.tokens.begin(), b.tokens.end(), a.tokens.begin()));
      if (b.tokens.size() < a.tokens.size()) {
        EXPECT_EQ(b.finish, QED_FINISH_ABORT);
        ++num_aborted;
      }
    }
  }
  EXPECT_GT(num_aborted, 0u);
  EXPECT_EQ(num_left, num_tokens);
}

TEST_F(Generate, AsksASamplersMaskForEveryToken) {
  PluginHost host({test_plugins()});
  const Sampler moody(host.load("sampler", "moody"), R"({"mode":"good"})", host.abi());
  GenerateOptions options{.stop_ids = stop_ids_};
  options.mask = &moody;  // allows token 0 alone
  for (const auto& group : generate(model_, requests_, options)) {
    for (const Completion& c : group) {
      EXPECT_EQ(std::ranges::count(c.tokens, 0), std::ssize(c.tokens));
      for (const float logp : c.behavior_logp) EXPECT_NEAR(logp, 0, 2e-7);  // the only one allowed
      EXPECT_LT(c.logp.back(), 0);
    }
  }
}

}  // namespace
}  // namespace qed
