#pragma once

// A run while it goes on, as the helper process sees it.

#include "core/sandbox/first_process.h"
#include "core/sandbox/job.h"

#include <poll.h>

#include <chrono>
#include <string>
#include <vector>

namespace qed::sandbox {

// Starts in the constructor; killed with the object. The helper has called enter_root.
class Box {
 public:
  using Clock = std::chrono::steady_clock;

  // `task` is used before the constructor returns, and not after. A run that cannot be started is
  // over at once, with a failure.
  explicit Box(const Task& task);
  ~Box();
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;

  // What to wait for.
  void add_events(std::vector<pollfd>& events) const;
  // Reads what there is, and ends the run where it has gone beyond a limit.
  void work();
  bool is_over() const { return is_over_; }
  // When work must be called at the latest.
  Clock::time_point next_look() const { return next_look_; }

  // Once it is over: how the run ended, and the products of it. A failure is no end of the run.
  const std::string& failure() const { return report_.failure; }
  Run& run() { return run_; }
  std::vector<File>& products() { return report_.products; }

 private:
  void start(const Task& task);
  void read(int& end, std::string& text, std::uint64_t limit);
  void look();
  void kill(std::uint32_t outcome);
  void finish();
  std::uint32_t outcome() const;

  Limits limits_;
  pid_t pid_ = -1;
  int process_ = -1;  // pidfd; -1: it has been waited for
  int output_ = -1, errors_ = -1, report_end_ = -1;
  std::string report_bytes_;
  Clock::time_point begin_, next_look_;
  std::uint32_t reason_ = 0;  // why it was killed; 0: it was not
  bool is_over_ = false;
  Report report_;
  Run run_;
};

}  // namespace qed::sandbox
