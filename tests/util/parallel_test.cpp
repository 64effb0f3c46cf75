#include "core/util/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace qed {
namespace {

class Parallel : public ::testing::TestWithParam<int> {
 protected:
  Parallel() { set_num_threads(GetParam()); }
  ~Parallel() override { set_num_threads(1); }
};

TEST_P(Parallel, EveryIndexIsVisitedOnce) {
  for (const std::int64_t n : {0, 1, 7, 1000}) {
    std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n));
    parallel_for(n, 3, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    for (const auto& v : visits) EXPECT_EQ(v, 1) << "n " << n;
  }
}

TEST_P(Parallel, ManySmallJobsInARowAllFinish) {
  std::atomic<std::int64_t> sum = 0;
  for (int job = 0; job < 20000; ++job) {
    parallel_for(8, 1, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
  }
  EXPECT_EQ(sum, 160000);
}

TEST_P(Parallel, ANestedCallRunsOnItsOwnThread) {
  std::atomic<int> visits = 0;
  parallel_for(16, 1, [&](std::int64_t begin, std::int64_t end) {
    parallel_for(end - begin, 1,
                 [&](std::int64_t b, std::int64_t e) { visits += static_cast<int>(e - b); });
  });
  EXPECT_EQ(visits, 16);
}

TEST_P(Parallel, TheFirstExceptionComesBackAndThePoolGoesOn) {
  const auto throwing = [](std::int64_t, std::int64_t) { throw std::runtime_error("body"); };
  EXPECT_THROW(parallel_for(100, 1, throwing), std::runtime_error);

  std::atomic<int> visits = 0;
  parallel_for(100, 1, [&](std::int64_t b, std::int64_t e) { visits += static_cast<int>(e - b); });
  EXPECT_EQ(visits, 100);
}

INSTANTIATE_TEST_SUITE_P(Threads, Parallel, ::testing::Values(1, 2, 5));

}  // namespace
}  // namespace qed
