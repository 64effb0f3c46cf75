#include "core/util/terminal.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace qed {
namespace {

TEST(CutToWidth, CountsCharactersNotBytes) {
  EXPECT_EQ(cut_to_width("größe", 3), "grö");
  EXPECT_EQ(cut_to_width("größe", 5), "größe");
  EXPECT_EQ(cut_to_width("abc", 0), "");
}

TEST(Terminal, APipeIsNoTerminalAndGetsNoColor) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);

  EXPECT_FALSE(is_terminal(ends[1]));
  EXPECT_FALSE(wants_color(ends[1]));
  EXPECT_EQ(terminal_width(ends[1]), 80);

  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace qed
