#include "core/report/keywords.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace qed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The words that a text has, each as often as it stands there, sorted.
std::multiset<std::string_view> words_in(std::string_view text) {
  const KeywordCounter counter;
  std::vector<std::uint32_t> counts;
  counter.count(text, counts);
  std::multiset<std::string_view> out;
  for (std::size_t w = 0; w < counts.size(); ++w) {
    for (std::uint32_t i = 0; i < counts[w]; ++i) out.insert(counter.words()[w]);
  }
  return out;
}

TEST(Keywords, AWordCountsInAnyCaseAndInsideOtherWords) {
  EXPECT_THAT(words_in("Wait. I await the RETRY"), ElementsAre("retry", "wait", "wait"));
  EXPECT_THAT(words_in("rethinking"), ElementsAre("rethink"));
  EXPECT_THAT(words_in("wai t, re think"), IsEmpty());
  EXPECT_THAT(words_in(""), IsEmpty());
}

TEST(Keywords, WordsThatOverlapEachOtherAllCount) {
  EXPECT_THAT(words_in("recheck again"), ElementsAre("check again", "recheck"));
  EXPECT_THAT(words_in("reevaluation reevaluate"), ElementsAre("reevaluate", "reevaluation"));
  EXPECT_THAT(words_in("let's try again"), ElementsAre("let's try again", "try again"));
  EXPECT_THAT(words_in("let\u2019s try again"), ElementsAre("let's try again", "try again"));
}

TEST(Keywords, NumbersOfAListCountAtTheStartOfALineOnly) {
  EXPECT_THAT(words_in("1. add\n1. again"), ElementsAre("\n1.", "\n1."));
  EXPECT_THAT(words_in("it is 1. and 11.5\n 1."), IsEmpty());
  EXPECT_THAT(words_in("Step 1: First,"), ElementsAre("first", "step 1"));
}

TEST(Keywords, WordsOverlapThemselvesInALetterAtMost) {  // the header says so
  const KeywordCounter counter;
  for (const std::string_view word : counter.words()) {
    for (std::size_t n = 2; n < word.size(); ++n) {
      EXPECT_NE(word.substr(0, n), word.substr(word.size() - n)) << word;
    }
  }
}

TEST(Keywords, EveryPublishedListIsThereUnderItsName) {
  std::vector<std::string_view> names;
  std::vector<std::size_t> sizes;
  for (const KeywordList& list : reflection_lists()) {
    names.push_back(list.name);
    sizes.push_back(list.words.size());
    EXPECT_FALSE(list.source.empty()) << list.name;
  }
  EXPECT_THAT(names, ElementsAre("oat_zero_qwen", "oat_zero_deepseek", "oat_zero_llama",
                                 "understand_r1_zero", "simplerl", "demystify", "logic_rl",
                                 "side_by_side"));
  EXPECT_THAT(sizes, ElementsAre(3, 8, 6, 15, 7, 5, 3, 13));
}

TEST(Keywords, ListsNameTheirWords) {
  const KeywordCounter counter;
  ASSERT_EQ(counter.lists().size(), reflection_lists().size() + 1);
  for (std::size_t i = 0; i < counter.lists().size(); ++i) {
    const KeywordList& list = i < reflection_lists().size() ? reflection_lists()[i] : step_list();
    ASSERT_EQ(counter.lists()[i].size(), list.words.size());
    for (std::size_t w = 0; w < list.words.size(); ++w) {
      EXPECT_EQ(counter.words()[counter.lists()[i][w]], list.words[w]);
    }
  }
}

// Slow and plain: what the automaton must say.
std::size_t plain_count(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + word.size())) {
    ++count;
  }
  return count;
}

TEST(Keywords, TheCounterAgreesWithAPlainSearch) {
  const KeywordCounter counter;
  std::string text = "\n";
  for (std::size_t i = 0; i < 400; ++i) {  // pieces of words, side by side
    const std::string_view word = counter.words()[i * 7 % counter.words().size()];
    text += word.substr(i % 3 == 0 ? 0 : i % 2, i % 4 == 0 ? word.size() / 2 : word.npos);
    if (i % 5 == 0) text += ' ';
  }
  std::vector<std::uint32_t> counts;
  counter.count(std::string_view(text).substr(1), counts);
  std::size_t sum = 0;
  for (std::size_t w = 0; w < counts.size(); ++w) {
    EXPECT_EQ(counts[w], plain_count(text, counter.words()[w])) << counter.words()[w];
    sum += counts[w];
  }
  EXPECT_GT(sum, 150u);
}

}  // namespace
}  // namespace qed
