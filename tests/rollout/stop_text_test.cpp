#include "core/rollout/stop_text.h"

#include <gtest/gtest.h>

#include "qed/philox.h"

namespace qed {
namespace {

TEST(StopSearch, FindsAStringAcrossTokens) {
  const std::vector<std::string> strings = {"</answer>", "\n\n"};
  StopSearch search(strings);
  EXPECT_FALSE(search.feed("4+4</ans"));
  EXPECT_FALSE(search.feed("w"));
  EXPECT_FALSE(search.feed("</an"));
  EXPECT_FALSE(search.feed(""));
  EXPECT_FALSE(search.feed("swer"));
  const auto match = search.feed("> and");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->string, 0u);
  EXPECT_EQ(match->tail, 13u);
}

TEST(StopSearch, TakesTheStringThatBeginsFirst) {
  const std::vector<std::string> strings = {"cd", "bcd", "d"};
  StopSearch search(strings);
  EXPECT_FALSE(search.feed("ab"));
  const auto match = search.feed("cde");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->string, 1u);
  EXPECT_EQ(match->tail, 4u);
}

TEST(StopSearch, FindsWhatASearchOfTheWholeTextFinds) {
  Rng rng(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto text = [&](std::uint64_t least, std::uint64_t most) {
      std::string s(rng.integer(least, most), 'a');
      for (char& c : s) c = static_cast<char>('a' + rng.integer(0, 1));
      return s;
    };
    const std::vector<std::string> strings = {text(1, 6), text(1, 6)};
    StopSearch search(strings);
    std::string all;
    while (all.size() < 40) {
      const std::string token = text(0, 5);
      all += token;
      std::size_t first = std::min(all.find(strings[0]), all.find(strings[1]));
      const auto match = search.feed(token);
      ASSERT_EQ(match.has_value(), first != all.npos) << all;
      if (!match) continue;
      ASSERT_EQ(all.size() - match->tail, first) << all;
      ASSERT_EQ(cut_at_stop(all, strings[match->string], match->tail, false), all.substr(0, first));
      break;
    }
  }
}

TEST(CutAtStop, KeepsTheStringWhereItIsAsked) {
  EXPECT_EQ(cut_at_stop("a</answer> b", "</answer>", 11, false), "a");
  EXPECT_EQ(cut_at_stop("a</answer> b", "</answer>", 11, true), "a</answer>");
  EXPECT_EQ(cut_at_stop("aSTOP\xEF\xBF\xBD", "STOP", 5, false), "a")
      << "a byte that is no character";
  EXPECT_EQ(cut_at_stop("no such text", "<|end|>", 7, false), "no such text");
}

}  // namespace
}  // namespace qed
