#include "core/util/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace qed {
namespace {

struct Format {
  float (*from)(std::uint16_t);
  std::uint16_t (*to)(float);
  std::uint16_t infinity;
};
constexpr Format kFormats[] = {{from_bfloat16, to_bfloat16, 0x7f80},
                               {from_float16, to_float16, 0x7c00}};

TEST(Half, EveryNumberSurvivesTheWayToFloat32AndBack) {
  for (const Format& f : kFormats) {
    for (std::uint32_t x = 0; x < 0x10000; ++x) {
      const auto bits = static_cast<std::uint16_t>(x);
      const float wide = f.from(bits);
      if ((bits & 0x7fff) > f.infinity) {
        EXPECT_TRUE(std::isnan(wide) && std::isnan(f.from(f.to(wide)))) << x;
      } else {
        ASSERT_EQ(f.to(wide), bits) << x;
      }
    }
  }
}

TEST(Half, KnownNumbersAreThemselves) {
  EXPECT_EQ(from_float16(0x3c00), 1.0f);
  EXPECT_EQ(from_float16(0xc500), -5.0f);
  EXPECT_EQ(from_float16(0x7bff), 65504.0f);
  EXPECT_EQ(from_float16(0x0001), 0x1p-24f);
  EXPECT_EQ(from_float16(0x83ff), -1023 * 0x1p-24f);
  EXPECT_EQ(from_bfloat16(0x3f80), 1.0f);
  EXPECT_EQ(from_bfloat16(0xc0a0), -5.0f);
}

TEST(Half, WhatLiesBetweenGoesToTheNearestAndTiesToEven) {
  for (const Format& f : kFormats) {
    for (std::uint32_t x = 0; x + 1 < f.infinity; ++x) {
      const auto low = static_cast<std::uint16_t>(x), high = static_cast<std::uint16_t>(x + 1);
      const auto even = x % 2 == 0 ? low : high;
      const float middle = f.from(low) + (f.from(high) - f.from(low)) / 2;
      if (middle == f.from(low) || middle == f.from(high)) continue;  // below float32's own reach
      ASSERT_EQ(f.to(middle), even) << x;
      ASSERT_EQ(f.to(std::nextafter(middle, 0.0f)), low) << x;
      ASSERT_EQ(f.to(std::nextafter(middle, std::numeric_limits<float>::infinity())), high) << x;
      ASSERT_EQ(f.to(-middle), even | 0x8000) << x;
    }
    EXPECT_EQ(f.to(std::numeric_limits<float>::max()), f.infinity);
    EXPECT_EQ(f.to(-std::numeric_limits<float>::infinity()), f.infinity | 0x8000);
  }
}

}  // namespace
}  // namespace qed
