#include "core/host/call_watch.h"

#include "core/util/error_text.h"
#include "core/util/terminal.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace qed {

CallWatch::CallWatch(const Component& component, std::string function, double timeout_s)
    : component_(component), function_(std::move(function)), timeout_s_(timeout_s) {}

CallWatch::~CallWatch() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

CallWatch::Scope::Scope(CallWatch& watch, PluginCall& call) : watch_(watch) {
  const auto timeout =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(watch.timeout_s_));
  const Clock::time_point deadline = Clock::now() + timeout, end = deadline + timeout;
  call.abi()->deadline_ns = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch()).count());
  const std::lock_guard lock(watch_.mutex_);
  end_ = watch_.ends_.insert(end);
  if (!watch_.thread_.joinable()) watch_.thread_ = std::thread([&watch] { watch.work(); });
  if (end < watch_.next_) watch_.wake_.notify_one();
}

CallWatch::Scope::~Scope() {
  const std::lock_guard lock(watch_.mutex_);
  watch_.ends_.erase(end_);
}

// Sleeps until the first call that runs would have to be given up. Calls that are back in time do
// not wake it.
void CallWatch::work() {
  std::unique_lock lock(mutex_);
  while (!is_closed_) {
    if (ends_.empty()) {
      next_ = Clock::time_point::max();
      wake_.wait(lock);
    } else if (*ends_.begin() <= Clock::now()) {
      give_up();
    } else {
      next_ = *ends_.begin();
      wake_.wait_until(lock, next_);
    }
  }
}

void CallWatch::give_up() const {
  const Error error(
      cat(label(component_), ": `", function_, "` is not back after ", 2 * timeout_s_,
          " s, and its deadline was ", timeout_s_, " s"),
      "a call must be back by qed_call.deadline_ns; where the work needs longer, raise "
      "rollout.verify_timeout_s",
      kExitPlugin);
  std::fflush(stdout);
  std::fprintf(stderr, "%s%s\n", is_terminal(STDERR_FILENO) ? "\r\033[K" : "",
               error_text(error).c_str());
  std::_Exit(error.exit_code());  // what the call still reads must not be destroyed under it
}

}  // namespace qed
