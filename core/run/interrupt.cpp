#include "core/run/interrupt.h"

#include <csignal>

namespace qed {

namespace {

std::atomic<bool> stop_requested{false};  // a signal handler can reach nothing else

void on_signal(int signal) {
  if (stop_requested.exchange(true)) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

}  // namespace

const std::atomic<bool>& catch_interrupts() {
  stop_requested = false;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  return stop_requested;
}

}  // namespace qed
