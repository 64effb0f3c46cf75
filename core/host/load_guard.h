#pragma once

// What a plugin must leave as it is while it is loaded: the floating-point mode, signal handlers,
// locale, threads and working folder of the process.

#include "core/host/load_problem.h"

#include <csignal>
#include <string>
#include <vector>

namespace qed {

// The state at its construction. [main]
class LoadGuard {
 public:
  LoadGuard();
  ~LoadGuard();
  LoadGuard(const LoadGuard&) = delete;
  LoadGuard& operator=(const LoadGuard&) = delete;

  // Compares with the state now, and puts back all that has changed and can be put back. Returns
  // the first difference (P031 to P035); `when` is "while it loads".
  LoadProblem check(const std::string& when);

 private:
  bool restore_fpu() const;
  int restore_signals() const;  // the number of a signal that has a new handler; 0: none
  bool restore_locale() const;
  bool has_new_thread() const;
  bool restore_folder() const;

  unsigned mxcsr_;
  unsigned short x87_;
  std::vector<struct sigaction> handlers_;  // by signal number
  std::string locale_;
  std::vector<int> threads_;  // sorted
  int folder_;                // -1: it could not be opened
};

}  // namespace qed
