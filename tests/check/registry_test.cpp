#include "core/check/registry.h"

#include "core/check/algorithm_caller.h"
#include "core/check/odd_texts.h"
#include "core/host/plugin_call.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace qed::check {
namespace {

TEST(Registry, HasNamesOfGroupAndTestThatAreUnique) {
  const std::regex name(
      "(static|lifecycle|structs|task|reward|algorithm|sampler|concurrency|"
      "determinism)[.][a-z_]+");
  std::set<std::string> seen;
  for (const check::Test& test : tests()) {
    EXPECT_TRUE(std::regex_match(std::string(test.name), name)) << test.name;
    EXPECT_TRUE(seen.emplace(test.name).second) << test.name;
    EXPECT_FALSE(test.about.empty()) << test.name;
  }
}

TEST(OddTexts, AreUtf8AsTheHostPromisesToPlugins) {
  for (const OddText& odd : odd_texts()) EXPECT_TRUE(is_utf8(odd.text)) << odd.name;
}

TEST(RandomBatch, IsTheSameForTheSameSeed) {
  const BatchData a = random_batch(7), b = random_batch(7), c = random_batch(8);
  EXPECT_EQ(a.front().old_logp, b.front().old_logp);
  EXPECT_NE(a.front().old_logp, c.front().old_logp);
}

TEST(RandomBatch, KeepsWhatTheAbiPromises) {
  for (const SequenceData& s : random_batch(3, {.is_multi_turn = true})) {
    for (std::size_t t = 0; t < s.size(); ++t) {
      EXPECT_LT(s.old_logp[t], 0);
      EXPECT_LT(s.logp[t], 0);
      EXPECT_EQ(s.mask[t] == 0, s.weight[t] == 0);
    }
  }
}

TEST(ExpectSame, NamesTheFirstLineThatDiffers) {
  EXPECT_NO_THROW(expect_same("a\nb\n", "a\nb\n", "what"));
  try {
    expect_same("a\nb 1\n", "a\nb 2\n", "asked again");
    ADD_FAILURE() << "no Failure";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.message, "asked again: `b 1` became `b 2`");
  }
}

}  // namespace
}  // namespace qed::check
