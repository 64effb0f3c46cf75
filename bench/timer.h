#pragma once

// Time that the calling thread was on a CPU, so that other programs of the machine count as little
// as can be.

#include <cstddef>
#include <ctime>

namespace bench {

// User and system time of this thread.
inline double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Calls f, which returns how many things it did, for that long; how many it does per second.
template <class F>
double rate(double seconds, F&& f) {
  const double begin = cpu_seconds();
  double done = 0, elapsed = 0;
  do {
    done += static_cast<double>(f());
    elapsed = cpu_seconds() - begin;
  } while (elapsed < seconds);
  return done / elapsed;
}

}  // namespace bench
