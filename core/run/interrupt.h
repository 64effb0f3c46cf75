#pragma once

// Ctrl-C: the first one asks a command to end cleanly, the second one ends the process.

#include <atomic>

namespace qed {

// Takes SIGINT and SIGTERM from now on. The flag becomes true at the first signal. [main]
const std::atomic<bool>& catch_interrupts();

}  // namespace qed
