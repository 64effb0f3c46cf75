#include "qed/hash.h"

#include <gtest/gtest.h>

namespace {

TEST(Crc32, GivesThePublishedCheckValue) {
  EXPECT_EQ(qed::crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(qed::crc32(""), 0u);
  EXPECT_EQ(qed::crc32(std::string_view("\0\xFF", 2)), 0x6CDBFD72u);  // zlib
}

static_assert(qed::crc32("123456789") == 0xCBF43926, "a constant expression");

}  // namespace
