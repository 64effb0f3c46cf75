#include "core/report/live_line.h"

#include <gtest/gtest.h>

namespace qed {
namespace {

// A screen that records what is written, and a clock that the test moves.
struct Screen {
  std::string text;
  double now_s = 100;

  LiveLineOptions options(bool is_live) {
    LiveLineOptions options;
    options.is_live = is_live;
    options.now_s = [this] { return now_s; };
    options.width = [] { return 10; };
    options.write = [this](std::string_view written) { text += written; };
    return options;
  }
};

TEST(LiveLine, IsRedrawnInPlaceAndRemovedAtTheEnd) {
  Screen screen;
  {
    LiveLine line(screen.options(true));
    line.update("one");
    screen.now_s += 0.06;
    line.update("two");
  }
  EXPECT_EQ(screen.text, "\r\x1b[Kone\r\x1b[Ktwo\r\x1b[K");
}

TEST(LiveLine, IsDrawnAtMostTwentyTimesASecond) {
  Screen screen;
  LiveLine line(screen.options(true));
  int draws = 0;
  for (int i = 0; i < 1000; ++i) {
    screen.text.clear();
    line.update("x");
    draws += screen.text.empty() ? 0 : 1;
    screen.now_s += 0.001;
  }
  EXPECT_LE(draws, 20);
  EXPECT_GE(draws, 18);
}

TEST(LiveLine, IsCutToTheWidthOfTheTerminal) {
  Screen screen;
  LiveLine line(screen.options(true));

  line.update("0123456789ABC");

  EXPECT_EQ(screen.text, "\r\x1b[K012345678");
}

TEST(LiveLine, AMilestoneStaysAndTheLineGoesOnBelowIt) {
  Screen screen;
  LiveLine line(screen.options(true));
  line.update("live");
  screen.text.clear();

  line.milestone("a milestone longer than the line");

  EXPECT_EQ(screen.text, "\r\x1b[Ka milestone longer than the line\n\r\x1b[Klive");
}

TEST(LiveLine, IsAPlainLineEveryTenSecondsWhereThereIsNoTerminal) {
  Screen screen;
  {
    LiveLine line(screen.options(false));
    for (int second = 0; second <= 25; ++second) {
      line.update("at " + std::to_string(second));
      screen.now_s += 1;
    }
  }
  EXPECT_EQ(screen.text, "at 10\nat 20\n");
}

TEST(LiveLine, MilestonesArePrintedAlsoWhereNothingElseIs) {
  Screen screen;
  LiveLineOptions options = screen.options(false);
  options.plain_every_s = 0;
  LiveLine line(options);
  screen.now_s += 1000;

  line.update("unseen");
  line.milestone("seen");

  EXPECT_EQ(screen.text, "seen\n");
}

}  // namespace
}  // namespace qed
