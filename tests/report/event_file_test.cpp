#include "core/report/event_file.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qed {
namespace {

using Scalars = std::vector<std::pair<std::string, double>>;

TEST(EventFile, ChecksumIsCrc32c) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);  // the check value of the polynomial
}

// Bytes as TensorFlow's writer makes them, in tests/peer/tensorboard_test.py; here what the run
// relies on.
TEST(EventFile, LengthDoesNotDependOnTheClockNorOnTheValues) {
  const Scalars one = {{"timing_s/step", 0.1}, {"actor/lr", 1e-9}};
  const Scalars other = {{"timing_s/step", 12345.6}, {"actor/lr", 1}};
  EXPECT_EQ(event_record(1.5, 7, one).size(), event_record(1e9, 7, other).size());
  EXPECT_EQ(event_file_head(0).size(), event_file_head(1.7e9).size());
}

TEST(EventFile, LeavesOutWhatIsNoNumber) {
  const Scalars some = {{"a", NAN}, {"b", 1}, {"c", INFINITY}};
  EXPECT_EQ(event_record(0, 1, some), event_record(0, 1, Scalars{{"b", 1}}));
}

}  // namespace
}  // namespace qed
