#include "core/report/live_line.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>

#include "core/util/terminal.h"

namespace qed {
namespace {

constexpr double kRedrawEveryS = 0.05;
constexpr std::string_view kEraseLine = "\r\x1b[K";

}  // namespace

LiveLineOptions live_line_on_stderr() {
  const bool is_quiet = std::getenv("QED_NO_PROGRESS") != nullptr;
  LiveLineOptions options;
  options.is_live = !is_quiet && is_terminal(STDERR_FILENO);
  options.plain_every_s = is_quiet ? 0 : 10;
  options.now_s = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  options.width = [] { return terminal_width(STDERR_FILENO); };
  options.write = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  };
  return options;
}

LiveLine::LiveLine(LiveLineOptions options)
    : options_(std::move(options)),
      last_s_(options_.is_live ? -std::numeric_limits<double>::infinity() : options_.now_s()) {}

LiveLine::~LiveLine() { clear(); }

void LiveLine::update(std::string_view text) {
  text_ = text;
  const double now_s = options_.now_s();
  if (options_.is_live) {
    if (now_s - last_s_ >= kRedrawEveryS) draw();
  } else if (options_.plain_every_s > 0 && now_s - last_s_ >= options_.plain_every_s) {
    options_.write(text_ + "\n");
    last_s_ = now_s;
  }
}

void LiveLine::milestone(std::string_view text) {
  const bool was_drawn = is_drawn_;
  clear();
  options_.write(std::string(text) + "\n");
  if (was_drawn) {
    draw();
  } else if (!options_.is_live) {
    last_s_ = options_.now_s();  // what was just printed is news enough
  }
}

void LiveLine::clear() {
  if (is_drawn_) options_.write(kEraseLine);
  is_drawn_ = false;
}

void LiveLine::draw() {
  // The last column stays free: some terminals wrap when it is filled.
  options_.write(std::string(kEraseLine) + cut_to_width(text_, options_.width() - 1));
  last_s_ = options_.now_s();
  is_drawn_ = true;
}

}  // namespace qed
