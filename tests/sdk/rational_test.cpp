#include "qed/rational.h"

#include <gtest/gtest.h>

#include <limits>

namespace qed {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(Rational, IsInLowestTermsWithAPositiveDenominator) {
  EXPECT_EQ(Rational(6, -4).num(), -3);
  EXPECT_EQ(Rational(6, -4).den(), 2);
  EXPECT_EQ(Rational(0, 7).den(), 1);
  EXPECT_EQ(Rational(6, 4), Rational(3, 2));
  EXPECT_TRUE(Rational(8, 4).is_whole());
}

TEST(Rational, ComputesExactly) {
  const Rational third(1, 3);
  EXPECT_EQ(third + third + third, Rational(1));
  EXPECT_EQ(Rational(8) / (Rational(3) - Rational(8) / Rational(3)), Rational(24));
  EXPECT_EQ(third * Rational(-3, 5), Rational(-1, 5));
  EXPECT_EQ(third - Rational(1, 2), Rational(-1, 6));
  EXPECT_LT(Rational(1, 3), Rational(1, 2));
  EXPECT_FALSE(Rational(1, 2) < Rational(1, 2));
}

TEST(Rational, ANumberThatDoesNotFitIsAnOverflowAndNeverWrong) {
  EXPECT_TRUE((Rational(kMax) + Rational(1)).is_overflow());
  EXPECT_TRUE((Rational(kMax) * Rational(kMax)).is_overflow());
  EXPECT_TRUE((Rational(1, kMax) / Rational(2)).is_overflow());
  EXPECT_EQ(Rational(kMax, 2) * Rational(2, kMax), Rational(1));
  const Rational lost = Rational(kMax) + Rational(1);
  EXPECT_TRUE((lost - lost).is_overflow());
  EXPECT_FALSE(lost == lost);
}

TEST(Rational, DivisionByZeroIsUndefinedAndStaysSo) {
  const Rational undefined = Rational(1) / Rational(0);
  EXPECT_TRUE(undefined.is_undefined());
  EXPECT_TRUE((Rational(0) * undefined).is_undefined());
  EXPECT_FALSE(undefined == undefined);
  EXPECT_FALSE(undefined < Rational(1));
  EXPECT_FALSE(undefined.is_valid());
}

TEST(Rational, ReadsAndWritesText) {
  const std::pair<const char*, Rational> cases[] = {
      {"12", Rational(12)},      {"-3", Rational(-3)},      {"3/4", Rational(3, 4)},
      {"-6/8", Rational(-3, 4)}, {"1.25", Rational(5, 4)},  {"-.5", Rational(-1, 2)},
      {"0.10", Rational(1, 10)}, {"-0.25", Rational(-1, 4)}};
  for (const auto& [text, value] : cases) EXPECT_EQ(Rational::parse(text), value) << text;
  for (const char* bad : {"",
                          "-",
                          ".",
                          "1.",
                          "/",
                          "1/",
                          "/2",
                          "1/0",
                          "1/-2",
                          "--1",
                          "+1",
                          " 1",
                          "1 ",
                          "1.2.3",
                          "1/2/3",
                          "1e3",
                          "0x1",
                          "nan",
                          "9223372036854775808",
                          "1.0000000000000000001"}) {
    EXPECT_EQ(Rational::parse(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(Rational(-3, 4).text(), "-3/4");
  EXPECT_EQ(Rational(7).text(), "7");
  EXPECT_EQ((Rational(1) / Rational(0)).text(), "undefined");
}

}  // namespace
}  // namespace qed
