// What generation records is what scoring computes, to the bit, and neither depends on the
// schedule.

#include "core/util/parallel.h"
#include "tests/rollout/scoring_fixture.h"

namespace qed {
namespace {

void check_schedules(Dtype dtype) {
  Scoring scoring(24, 5, 40, dtype);
  const auto all = scoring.generate({.max_batch = 256});
  EXPECT_GT(scoring.check(all), 500u);
  for (std::uint64_t seed = 1; seed < 30; ++seed) {
    set_num_threads(1 + static_cast<int>(seed / 3 % 2));
    const ScheduleOptions schedule = any_schedule(scoring.requests(), seed);
    ASSERT_TRUE(scoring.generate(schedule) == all) << "schedule " << seed;
  }
}

TEST(Generation, RecordsWhatScoringComputesWhateverTheSchedule) {
  check_schedules(Dtype::kFloat32);
}

TEST(Generation, RecordsWhatScoringComputesWithBfloat16Weights) {
  check_schedules(Dtype::kBfloat16);
}

}  // namespace
}  // namespace qed
