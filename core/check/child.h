#pragma once

// A child process of this program that does one job: whatever the plugin does there, this process
// lives on.

#include "core/check/one_test.h"

#include <string>
#include <vector>

namespace qed::check {

struct ChildOptions {
  double timeout_s;
  bool is_strange = false;  // another environment: other fill of memory, locale and time zone
};

// Runs `job` in a new process. A crash, a time-out or an exit without an answer is a failed test
// that says so, with the last line that the child printed. [any]
JobAnswer run_child(const Job& job, const ChildOptions& options);

// The job as arguments of `qed plugin check-one`, and the whole life of that child: limits, the
// job, the answer on descriptor 3. Returns the exit code.
std::vector<std::string> to_arguments(const Job& job);
int run_as_child(const Job& job);

}  // namespace qed::check
