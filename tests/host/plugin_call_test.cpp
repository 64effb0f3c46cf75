#include "core/host/plugin_call.h"

#include <gtest/gtest.h>

namespace qed {
namespace {

TEST(Utf8, ValidTextIsKept) {
  for (const std::string text : {"", "plain", "Grüße", "数学", "\U0001F600", "\u07FF\uFFFF"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_EQ(to_utf8(text), text);
  }
}

TEST(Utf8, EveryInvalidByteIsReplaced) {
  const std::pair<std::string, std::string> cases[] = {
      {"\xFF", "\uFFFD"},                                // never a byte of UTF-8
      {"a\xC3", "a\uFFFD"},                              // cut short
      {"\xC0\xAF", "\uFFFD\uFFFD"},                      // overlong
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},            // surrogate
      {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},  // above U+10FFFF
      {"\x80z", "\uFFFDz"},                              // continuation alone
      {"eight of ASCII\x80z", "eight of ASCII\uFFFDz"},  // behind those looked at together
  };
  for (const auto& [bytes, expected] : cases) {
    EXPECT_FALSE(is_utf8(bytes));
    EXPECT_EQ(to_utf8(bytes), expected);
  }
}

std::int32_t append(TextSink& sink, std::string_view text) {
  return sink.abi()->append(sink.abi(), reinterpret_cast<const std::uint8_t*>(text.data()),
                            text.size());
}

TEST(TextSink, RefusesWhatGoesBeyondItsLimitAndRemembers) {
  TextSink sink(5);
  EXPECT_EQ(append(sink, "abc"), 0);
  EXPECT_EQ(append(sink, "de"), 0);
  EXPECT_FALSE(sink.is_full());
  EXPECT_EQ(append(sink, "f"), 1);
  EXPECT_TRUE(sink.is_full());
  EXPECT_EQ(sink.text(), "abcde");
}

TEST(TextSink, CutsWhereItTruncates) {
  TextSink sink(5, true);
  EXPECT_EQ(append(sink, "abcd"), 0);
  EXPECT_EQ(append(sink, "efgh"), 0);
  EXPECT_EQ(append(sink, "ijkl"), 0);
  EXPECT_EQ(sink.text(), "abcde");
}

TEST(PluginCall, QuotesTheMessageOrNamesTheStatus) {
  PluginCall call(9);
  EXPECT_EQ(call.abi()->seed, 9u);
  EXPECT_EQ(call.message(QED_DATA), "status DATA without a message");
  EXPECT_EQ(call.message(77), "status 77 without a message");
  std::copy_n("torn\xFF", 5, call.err()->msg);
  call.err()->msg_len = 5;
  EXPECT_EQ(call.message(QED_DATA), "torn\uFFFD");
  call.err()->msg_len = UINT64_MAX;  // a plugin that lies
  EXPECT_LE(call.message(QED_DATA).size(), 3 * 4096u);
}

}  // namespace
}  // namespace qed
