#include "core/reward/group_scoring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace qed {
namespace {

Scores scores(double reward) {
  Scores out;
  out.scores.push_back({.status = 0, .reward = reward, .verdict = 0, .terms = {}, .note = {}});
  return out;
}

TEST(GroupScoring, ResultsComeByGroupInWhateverOrderTheyWereReady) {
  GroupScoring scoring(50);
  for (std::size_t i = 50; i-- > 0;) {
    if (i == 7) continue;  // never submitted
    scoring.submit(i, [i] {
      if (i % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
      return scores(static_cast<double>(i));
    });
  }
  const auto results = scoring.finish();
  ASSERT_EQ(results.size(), 50u);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(results[i].has_value(), i != 7);
    if (i != 7) {
      EXPECT_EQ(results[i]->scores[0].reward, static_cast<double>(i));
    }
  }
}

TEST(GroupScoring, AJobRunsWhileAnotherOneWaits) {
  std::atomic<bool> is_second_there = false;
  GroupScoring scoring(2);
  scoring.submit(0, [&] {
    while (!is_second_there) std::this_thread::yield();
    return scores(0);
  });
  scoring.submit(1, [&] {
    is_second_there = true;
    return scores(1);
  });
  EXPECT_TRUE(scoring.finish()[0].has_value());
}

// Each of them waits until ten are at work at the same time.
TEST(GroupScoring, SlowJobsGetMoreThreads) {
  std::atomic<int> num_waiting = 0;
  GroupScoring scoring(14);
  for (std::size_t i = 0; i < 4; ++i) {
    scoring.submit(i, [] {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      return scores(0);
    });
  }
  for (std::size_t i = 4; i < 14; ++i) {
    scoring.submit(i, [&] {
      ++num_waiting;
      while (num_waiting < 10) std::this_thread::yield();
      return scores(1);
    });
  }
  EXPECT_EQ(scoring.finish()[13]->scores[0].reward, 1);
}

TEST(GroupScoring, TheFailureOfTheFirstGroupIsThrown) {
  GroupScoring scoring(3);
  scoring.submit(2, []() -> Scores { throw std::runtime_error("group 2"); });
  scoring.submit(1, []() -> Scores {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    throw std::runtime_error("group 1");
  });
  scoring.submit(0, [] { return scores(0); });
  try {
    scoring.finish();
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "group 1");
  }
}

TEST(GroupScoring, EndsWithoutFinish) {
  GroupScoring scoring(100);
  for (std::size_t i = 0; i < 100; ++i) scoring.submit(i, [] { return scores(1); });
}

}  // namespace
}  // namespace qed
