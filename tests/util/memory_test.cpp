#include "core/util/memory.h"

#include <gtest/gtest.h>

namespace qed {
namespace {

TEST(BytesText, HasThreeDigits) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(12'345), "12.3 kB");
  EXPECT_EQ(bytes_text(999'499), "999 kB");
  EXPECT_EQ(bytes_text(999'500), "1.00 MB");
  EXPECT_EQ(bytes_text(1'984'000'000), "1.98 GB");
  EXPECT_EQ(bytes_text(std::int64_t{5} << 50), "5.63 PB");
}

TEST(AvailableMemory, IsSomething) { EXPECT_GT(available_memory_bytes(), 1 << 20); }

}  // namespace
}  // namespace qed
