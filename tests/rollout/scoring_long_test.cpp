// Ten thousand completions; see scoring_test.cpp.

#include "core/util/parallel.h"
#include "tests/rollout/scoring_fixture.h"

namespace qed {
namespace {

void check_ten_thousand(Dtype dtype) {
  Scoring scoring(1250, 8, 60, dtype);
  const auto all = scoring.generate({.max_batch = 256});
  const std::size_t num_tokens = scoring.check(all);
  std::printf("%zu tokens compared\n", num_tokens);
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    set_num_threads(1 + static_cast<int>(seed / 3 % 2));
    const ScheduleOptions schedule = any_schedule(scoring.requests(), seed);
    ASSERT_TRUE(scoring.generate(schedule) == all) << "schedule " << seed;
  }
}

TEST(Generation, OfTenThousandCompletionsRecordsWhatScoringComputes) {
  check_ten_thousand(Dtype::kFloat32);
}

TEST(Generation, OfTenThousandCompletionsInBfloat16RecordsWhatScoringComputes) {
  check_ten_thousand(Dtype::kBfloat16);
}

}  // namespace
}  // namespace qed
