#pragma once

// What all that descend from a process use now, read from /proc.

#include <sys/types.h>

#include <cstdint>

namespace qed::sandbox {

struct Usage {
  std::uint64_t cpu_us = 0;        // of those alive, and of the children that were waited for
  std::uint64_t memory_bytes = 0;  // resident; pages that two share count twice
};

// `processes` is a descriptor of /proc. Processes that end meanwhile are left out. Looks at no more
// than `max_processes`.
Usage usage_of_tree(int processes, pid_t root, std::uint32_t max_processes);

}  // namespace qed::sandbox
