#include "core/util/numbers.h"

#include <gtest/gtest.h>

namespace qed {
namespace {

TEST(Numbers, AreGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(494032768), "494,032,768");
  EXPECT_EQ(grouped(-123456), "-123,456");
}

TEST(Numbers, BytesHaveThreeDigits) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1.00 KiB");
  EXPECT_EQ(bytes_text(10 * 1024), "10.0 KiB");
  EXPECT_EQ(bytes_text(266666), "260 KiB");
  EXPECT_EQ(bytes_text(1023 * 1024 + 1023), "1.00 MiB");
  EXPECT_EQ(bytes_text(INT64_MAX), "8.00 EiB");
}

}  // namespace
}  // namespace qed
