#pragma once

// Clocks for people and for metrics; no result depends on them. [any]

#include <chrono>

namespace qed {

// Seconds since it was made or restarted.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  // Seconds since the last lap, and starts the next one.
  double lap() {
    const auto now = Clock::now();
    const double s = std::chrono::duration<double>(now - start_).count();
    start_ = now;
    return s;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

// Seconds since this process was started, to 10 ms: through an exec, since its first program's
// start.
double seconds_since_start();

}  // namespace qed
