#include "qed/unicode.h"

#include "qed/hash.h"

#include <gtest/gtest.h>

namespace qed {
namespace {

// crc32 of f(c) for all characters but surrogates.
template <class F>
std::uint32_t crc_of_all(F&& f) {
  std::string all;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c < 0xD800 || c >= 0xE000) all += f(c);
  }
  return crc32(all);
}

std::string text_of(char32_t c) {
  std::string out;
  append_char(out, c);
  return out;
}

// The numbers come from Python 3.11: zlib.crc32 over b"".join(f(chr(c)) for c in ...).
TEST(Unicode, PropertiesOfAllCharactersAreThoseOfPython) {
  EXPECT_EQ(crc_of_all([](char32_t c) { return is_space(c) ? '1' : '0'; }), 3762640770u);
  EXPECT_EQ(crc_of_all([](char32_t c) {  // unicodedata.decimal(c, 10)
              return static_cast<char>(decimal(c) < 0 ? 10 : decimal(c));
            }),
            3518342008u);
  EXPECT_EQ(crc_of_all([](char32_t c) { return is_digit(c) ? '1' : '0'; }), 3217946173u);
  EXPECT_EQ(crc_of_all([](char32_t c) { return lower(text_of(c)); }), 926718284u);
}

TEST(Unicode, CharactersGoInAndOutFromBothEnds) {
  for (char32_t c = 1; c < 0x110000; c += 7) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const std::string text = "a" + text_of(c) + "b";
    std::string_view front = text, back = text;
    next_char(front), last_char(back);
    EXPECT_EQ(next_char(front), c);
    EXPECT_EQ(last_char(back), c);
    EXPECT_EQ(front, "b");
    EXPECT_EQ(back, "a");
    EXPECT_EQ(length(text), 3u);
  }
}

TEST(Unicode, BrokenTextIsReadToItsEndAndNoFurther) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text = {static_cast<char>(a), static_cast<char>(b)};
      std::string_view front = text, back = text;
      while (!front.empty()) next_char(front);
      while (!back.empty()) last_char(back);
      strip(text), lower(text), canonical_int(text), is_digits(text);
    }
  }
}

TEST(Unicode, StripAndSplitFollowPython) {
  EXPECT_EQ(strip("\u00a0 a\u2003b \u2028\x1c"), "a\u2003b");
  EXPECT_EQ(strip_left(" \u3000 a "), "a ");
  EXPECT_EQ(strip_right(" a\u0085"), " a");
  EXPECT_EQ(strip(" \u00a0\n"), "");
  EXPECT_EQ(strip("\u200ba"), "\u200ba");  // zero width is no space
  std::string_view rest = "\u00a0one  two\u2003\u00e9\n";
  EXPECT_EQ(next_word(rest), "one");
  EXPECT_EQ(next_word(rest), "two");
  EXPECT_EQ(next_word(rest), "\u00e9");
  EXPECT_EQ(next_word(rest), "");
  EXPECT_EQ(next_word(rest), "");
}

TEST(Unicode, DigitsAreThoseOfIsdigit) {
  EXPECT_TRUE(is_digits("123"));
  EXPECT_TRUE(is_digits("\u00b2\u0663\uff15"));
  EXPECT_FALSE(is_digits(""));
  EXPECT_FALSE(is_digits("-1"));
  EXPECT_FALSE(is_digits("1\u00bd"));
}

TEST(Unicode, IntegersAreThoseThatIntReads) {
  const std::pair<std::string, const char*> good[] = {
      {"0", "0"},          {"-0", "0"},       {"+7", "7"},       {"007", "7"},
      {" 12\u00a0", "12"}, {"\t-5\n", "-5"},  {"5_6", "56"},     {"\uff15_\uff16", "56"},
      {"\u0663", "3"},     {"1_000", "1000"}, {"-00012", "-12"}, {"5\u0661", "51"}};
  for (const auto& [text, value] : good) EXPECT_EQ(canonical_int(text), value) << text;
  for (const std::string text : {"", " ", "+", "-", "--1", "+-5", "- 5", "1__2", "_1", "1_", "1.0",
                                 "0x5", "\u00b2", "\u22125",
                                 "\x1c"
                                 "5",
                                 "1 2", "5a", "\u200b5"}) {
    EXPECT_EQ(canonical_int(text), std::nullopt) << text;
  }
  EXPECT_EQ(canonical_int(std::string(4300, '1'))->size(), 4300u);
  EXPECT_EQ(canonical_int(std::string(4301, '0')), std::nullopt);
}

}  // namespace
}  // namespace qed
