#pragma once

// The first process of a run: it makes the run's folder, starts the program as its child, and says
// how that ended. With it ends whatever the program started, since it is number 1 of a namespace of
// processes.

#include "core/sandbox/job.h"

#include <string>
#include <vector>

namespace qed::sandbox {

// One run of a job.
struct Task {
  const std::vector<std::string>* command = nullptr;
  const std::string* input = nullptr;
  std::vector<const std::vector<File>*> files;
  const std::vector<std::string>* products = nullptr;
  Limits limits;
};

// Descriptors that the first process writes to; and the helper's own (of pidfd_open), which tells
// whether it still lives.
struct Ends {
  int output = -1, errors = -1, report = -1;
  int helper = -1;
};

// Runs the task, writes a Report to ends.report, and ends the process.
[[noreturn]] void run_first_process(const Task& task, const Ends& ends);

}  // namespace qed::sandbox
