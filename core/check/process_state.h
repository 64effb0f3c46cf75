#pragma once

// What a plugin must leave as it is: the state of the process around it.

#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

namespace qed::check {

struct ProcessState {
  std::size_t num_threads = 0;
  std::vector<std::string> files;  // open descriptors: "7 -> /tmp/x"
  std::vector<void*> handlers;     // of signals 1 .. 31
  std::string blocked_signals, locale, folder;
  unsigned file_mask = 0;
  std::vector<std::string> environment;
  unsigned float_control = 0;

  static ProcessState now();
};

// What changed of threads and files from `before` to `after`, as a sentence; empty: nothing.
std::string leaked(const ProcessState& before, const ProcessState& after);
// What changed of the rest.
std::string changed(const ProcessState& before, const ProcessState& after);

// Bytes of memory that are resident.
std::uint64_t resident_bytes();

// Takes over stdout for its lifetime, to see what a plugin prints.
class StdoutWatch {
 public:
  StdoutWatch();
  ~StdoutWatch();
  StdoutWatch(const StdoutWatch&) = delete;
  StdoutWatch& operator=(const StdoutWatch&) = delete;

  // What was printed until now.
  std::string text() const;

 private:
  int saved_, file_;
};

}  // namespace qed::check
