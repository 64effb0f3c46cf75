#include "qed/philox.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <set>

namespace {

using testing::ElementsAre;

// The known answers of Random123 for philox4x32-10.
TEST(Philox, GivesTheKnownAnswers) {
  constexpr std::uint64_t kOnes = ~std::uint64_t{0};
  EXPECT_THAT(qed::philox(0, 0, 0), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(qed::philox(kOnes, kOnes, kOnes),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(qed::philox(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

// Computed by an independent implementation; a change would change every stored run.
TEST(KeyHash, IsAFixedFunction) {
  EXPECT_EQ(qed::KeyHash().add(0).value(), 0x995d36085232bc6f);
  EXPECT_EQ(qed::KeyHash().add(7).value(), 0x8784f63396ee7f96);
  EXPECT_EQ(qed::KeyHash().add("train").value(), 0xe7c6222a89685ae9);
  EXPECT_EQ(qed::KeyHash().add("").value(), 0xa7c963bdda21e08c);
  EXPECT_EQ(qed::KeyHash().add("grpo").add(3).value(), 0x7955af53fbfcbd03);
}

TEST(KeyHash, DependsOnTheOrderAndOnWhereTextsEnd) {
  EXPECT_EQ(qed::KeyHash().add(1).add(2).value(), 0x26a2e7d33ef1d755);
  EXPECT_EQ(qed::KeyHash().add(2).add(1).value(), 0xe0c38ae15b4551f1);
  EXPECT_NE(qed::KeyHash().add("ab").add("c").value(), qed::KeyHash().add("a").add("bc").value());
}

TEST(Rng, IsAFixedStream) {
  qed::Rng rng(42);
  EXPECT_EQ(rng.next(), 0x77f5493b9ceaf053);
  EXPECT_EQ(rng.next(), 0x53ba6cfdfcdb2127);
  qed::Rng again(42), real(42);
  EXPECT_EQ(again.integer(1, 9), 5);
  EXPECT_EQ(again.integer(1, 9), 3);
  EXPECT_EQ(again.integer(1, 9), 6);
  EXPECT_EQ(real.real(), 0.4685865183391049);
  EXPECT_EQ(real.real(), qed::uniform(42, 1));
}

TEST(Rng, IntegersStayInTheirRangeAndFillIt) {
  qed::Rng rng(1);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 300; ++i) seen.insert(rng.integer(-2, 3));
  EXPECT_THAT(seen, ElementsAre(-2, -1, 0, 1, 2, 3));
  EXPECT_EQ(rng.integer(5, 5), 5);
}

TEST(Rng, TheWidestRangeDoesNotOverflow) {
  using Limits = std::numeric_limits<std::int64_t>;
  qed::Rng rng(1);
  double negative = 0;
  for (int i = 0; i < 1000; ++i) negative += rng.integer(Limits::min(), Limits::max()) < 0 ? 1 : 0;
  EXPECT_NEAR(negative, 500, 4 * std::sqrt(250));
  EXPECT_EQ(rng.integer(Limits::max(), Limits::max()), Limits::max());
}

TEST(Uniform, LiesInTheHalfOpenUnitInterval) {
  double sum = 0;
  for (std::uint64_t i = 0; i < 10000; ++i) {
    const double x = qed::uniform(9, i);
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    sum += x;
  }
  EXPECT_NEAR(sum / 10000, 0.5, 4 * std::sqrt(1.0 / 12 / 10000));
}

}  // namespace
