#include "core/check/frame.h"

#include <gtest/gtest.h>

namespace qed::check {
namespace {

std::string text_of(qed_str s) { return {s.p, s.n}; }

TEST(Frame, CopiesTextInEveryPlace) {
  for (const Place place : {Place::kPlain, Place::kGuarded, Place::kReadOnly, Place::kRevoked}) {
    Frame frame({.place = place});
    const qed_str text = frame.text("abc"), empty = frame.text("");
    frame.seal();
    EXPECT_EQ(text_of(text), "abc");
    EXPECT_NE(empty.p, nullptr) << "empty is not absent";
  }
}

TEST(Frame, FaultsPastTheEndOfAGuardedSpan) {
  Frame frame({.place = Place::kGuarded});
  const volatile char* p = frame.text("abc").p;
  EXPECT_EQ(p[2], 'c');
  EXPECT_DEATH((void)p[3], "");
}

TEST(Frame, HasZerosPastTheEndOfAPlainSpan) {
  Frame frame({});
  EXPECT_EQ(frame.text("abc").p[3], '\0');
}

TEST(Frame, FaultsWhenASealedInputIsWritten) {
  Frame frame({.place = Place::kReadOnly});
  auto* input = const_cast<char*>(frame.text("abc").p);
  auto* output = frame.output<float>(2, 1.5f);
  frame.seal();
  output[1] = 2;
  EXPECT_DEATH(*static_cast<volatile char*>(input) = 'x', "");
}

TEST(Frame, FaultsWhenRevokedMemoryIsReadAfterTheCall) {
  const volatile char* kept = nullptr;
  {
    Frame frame({.place = Place::kRevoked});
    kept = frame.text("abc").p;
    EXPECT_EQ(kept[0], 'a');
  }
  EXPECT_DEATH((void)kept[0], "");
}

TEST(Frame, GivesStructsTheSizeOfTheirForm) {
  const qed_item item{};
  Frame first({.size = StructSize::kFirst}), current({}), longer({.size = StructSize::kLonger});
  EXPECT_EQ(first.input_struct(item)->size, first_size(&item));
  EXPECT_EQ(current.input_struct(item)->size, sizeof(qed_item));
  EXPECT_EQ(longer.input_struct(item)->size, sizeof(qed_item) + 64);
}

TEST(Frame, NoticesAWritePastTheEndOfAStruct) {
  Frame frame({.is_poisoned = true});
  auto* item = frame.output_struct(qed_item{});
  EXPECT_TRUE(frame.reply(QED_OK).is_ok());
  reinterpret_cast<char*>(item)[sizeof(qed_item)] = 0;
  EXPECT_EQ(frame.reply(QED_OK).problem, "it wrote past the end of a struct");
}

TEST(Frame, NoticesAMessageThatIsSaidToBeLongerThanItsBuffer) {
  Frame frame({.message_cap = 8});
  frame.call()->err->msg_len = 9;
  EXPECT_FALSE(frame.reply(QED_OK).is_ok());
}

TEST(Frame, HasAWriterThatRefusesBeyondItsLimit) {
  Frame frame({.writer_limit = 3});
  Sink& sink = frame.sink();
  const auto append = [&](std::string_view s) {
    return sink.abi->append(sink.abi, reinterpret_cast<const std::uint8_t*>(s.data()), s.size());
  };
  EXPECT_EQ(append("ab"), 0);
  EXPECT_NE(append("cd"), 0);
  EXPECT_TRUE(sink.has_refused);
  EXPECT_EQ(sink.text, "ab");
}

}  // namespace
}  // namespace qed::check
