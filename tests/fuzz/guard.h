#pragma once

// Bounds on time and memory of what a plugin does in this process.

#include <string>

namespace qed::fuzz {

// Processor time of this thread: other load of the machine does not count.
double cpu_seconds();
// What one batch may take; more in a build with sanitizers.
double max_seconds();

// Prints `what` and ends the process when it crashes, or works on for 60 s of processor time,
// before the object goes. One at a time. [main]
class Deadline {
 public:
  explicit Deadline(const std::string& what);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
};

// Limits the address space to 1 GiB more than now (not with sanitizers, which map much), so that
// a larger request fails.
class MemoryGuard {
 public:
  MemoryGuard();
  // What was too much since the construction: pages in use at a time, or memory not given back.
  std::string problem() const;

 private:
  std::size_t peak_, in_use_;  // bytes
};

}  // namespace qed::fuzz
