#pragma once

// The one line on stderr that says how a run is doing.
//
// On a terminal it is redrawn in place, at most 20 times a second, and cut to the terminal's width.
// Elsewhere it becomes a plain line every ten seconds. QED_NO_PROGRESS in the environment leaves
// the milestones only.

#include <functional>
#include <string>
#include <string_view>

namespace qed {

struct LiveLineOptions {
  bool is_live = false;           // redraw in place
  double plain_every_s = 10;      // not live: seconds between plain lines; 0: milestones only
  std::function<double()> now_s;  // a clock that never goes back
  std::function<int()> width;     // columns; asked at each redraw
  std::function<void(std::string_view)> write;
};

// For stderr as it is now, with the environment's wishes.
LiveLineOptions live_line_on_stderr();

// Not thread-safe. The destructor removes the line.
class LiveLine {
 public:
  explicit LiveLine(LiveLineOptions options = live_line_on_stderr());
  ~LiveLine();
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

  // The newest state: one line without a newline. May be dropped when another follows soon.
  void update(std::string_view text);
  // A line that stays, always printed; the live line goes on below it.
  void milestone(std::string_view text);
  // Removes the live line, until the next update.
  void clear();

 private:
  void draw();

  LiveLineOptions options_;
  std::string text_;
  double last_s_;          // of the last redraw or plain line
  bool is_drawn_ = false;  // there is a live line on the screen
};

}  // namespace qed
