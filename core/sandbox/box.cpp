#include "core/sandbox/box.h"

#include "core/sandbox/protocol.h"
#include "core/sandbox/root.h"
#include "core/sandbox/usage.h"
#include "core/util/error.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace qed::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 40ms;  // between two looks at what a run uses
constexpr std::uint64_t kMaxReport = 1u << 30;

std::uint64_t microseconds(const timeval& t) {
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(t.tv_usec);
}

void close_end(int& end) {
  if (end >= 0) ::close(std::exchange(end, -1));
}

// How programs report that an allocation failed, where the memory that they had got was little.
bool says_no_memory(std::string_view errors) {
  constexpr std::size_t kTail = 4096;
  if (errors.size() > kTail) errors.remove_prefix(errors.size() - kTail);
  for (const char* words : {"MemoryError", "std::bad_alloc", "Cannot allocate memory",
                            "out of memory", "virtual memory exhausted"}) {
    if (errors.find(words) != errors.npos) return true;
  }
  return false;
}

}  // namespace

Box::Box(const Task& task) : limits_(task.limits), begin_(Clock::now()) {
  next_look_ = begin_ + kLook;
  try {
    start(task);
  } catch (const Error& error) {
    report_.failure = error.what();
    is_over_ = true;
  }
}

Box::~Box() {
  if (process_ >= 0) {
    kill(QED_RUN_TIME);
    ::waitpid(pid_, nullptr, __WALL);
  }
  for (int* end : {&process_, &output_, &errors_, &report_end_}) close_end(*end);
}

void Box::start(const Task& task) {
  Ends ends;
  const std::pair<int*, int*> pipes[] = {
      {&output_, &ends.output}, {&errors_, &ends.errors}, {&report_end_, &ends.report}};
  int error = 0;
  for (const auto& [reader, writer] : pipes) {
    int pipe[2];
    if (error == 0 && ::pipe2(pipe, O_CLOEXEC) != 0) error = errno;
    if (error != 0) break;
    *reader = pipe[0];
    *writer = pipe[1];
    ::fcntl(pipe[0], F_SETFL, O_NONBLOCK);
  }
  if (error == 0) {
    ends.helper = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));  // closed on exec
    if (ends.helper < 0) error = errno;
  }
  if (error == 0) {
    // As fork, since there is no new stack.
    const long pid =
        ::syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_PIDFD | SIGCHLD,
                  nullptr, &process_, nullptr, 0);
    if (pid == 0) run_first_process(task, ends);
    if (pid < 0) error = errno;
    pid_ = static_cast<pid_t>(pid);
  }
  for (const auto& [reader, writer] : pipes) close_end(*writer);
  close_end(ends.helper);
  if (error != 0) throw Error(cat("cannot start a run: ", std::strerror(error)));
}

void Box::add_events(std::vector<pollfd>& events) const {
  for (const int end : {process_, output_, errors_, report_end_}) {
    if (end >= 0) events.push_back({end, POLLIN, 0});
  }
}

// What goes beyond the limit ends the run.
void Box::read(int& end, std::string& text, std::uint64_t limit) {
  char buffer[1 << 16];
  while (end >= 0) {
    const ssize_t n = ::read(end, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return close_end(end);
    const std::uint64_t room = limit - text.size();
    text.append(buffer, std::min(static_cast<std::uint64_t>(n), room));
    if (static_cast<std::uint64_t>(n) > room) {
      kill(QED_RUN_OUTPUT);
      return close_end(end);
    }
  }
}

void Box::kill(std::uint32_t outcome) {
  if (reason_ == 0) reason_ = outcome;
  ::syscall(SYS_pidfd_send_signal, process_, SIGKILL, nullptr, 0);
}

void Box::look() {
  const auto now = Clock::now();
  const auto end = begin_ + std::chrono::milliseconds(limits_.wall_ms);
  if (now >= end) kill(QED_RUN_TIME);
  if (now >= next_look_) {
    const Usage use = usage_of_tree(processes_folder(), pid_, limits_.processes + 2);
    if (use.memory_bytes > limits_.memory_bytes) kill(QED_RUN_MEMORY);
    if (use.cpu_us > limits_.cpu_ms * 1000) kill(QED_RUN_TIME);
    next_look_ = now + kLook;
  }
  if (reason_ == 0) next_look_ = std::min(next_look_, end);
}

void Box::work() {
  if (is_over_) return;
  pollfd event = {process_, POLLIN, 0};
  const bool has_ended = ::poll(&event, 1, 0) == 1;  // before reading: nothing is written after it
  read(output_, run_.output, limits_.output_bytes);
  read(errors_, run_.errors, limits_.output_bytes);
  read(report_end_, report_bytes_, kMaxReport);
  if (has_ended) return finish();
  look();
}

void Box::finish() {
  rusage use{};
  ::wait4(pid_, nullptr, __WALL, &use);
  close_end(process_);
  run_.wall_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin_).count());
  is_over_ = true;
  if (reason_ != 0) {
    run_.outcome = reason_;
    run_.cpu_us = microseconds(use.ru_utime) + microseconds(use.ru_stime);
    run_.memory_bytes = static_cast<std::uint64_t>(use.ru_maxrss) * 1024;
    return;
  }
  auto report = read_report(report_bytes_);
  if (!report) {
    report_.failure = "the first process of the run has died";
    return;
  }
  report_ = std::move(*report);
  report_bytes_.clear();
  if (!report_.failure.empty()) return;
  run_.cpu_us = report_.cpu_us;
  run_.memory_bytes = report_.memory_bytes;
  const int status = report_.wait_status;
  if (WIFEXITED(status)) run_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) run_.signal = WTERMSIG(status);
  run_.outcome = outcome();
}

std::uint32_t Box::outcome() const {
  const bool is_good = run_.exit_code == 0 && run_.signal == 0;
  if (run_.cpu_us > limits_.cpu_ms * 1000 || run_.signal == SIGXCPU) return QED_RUN_TIME;
  if (run_.memory_bytes > limits_.memory_bytes) return QED_RUN_MEMORY;
  if (is_good) return QED_RUN_OK;
  if (run_.signal == SIGXFSZ) return QED_RUN_OUTPUT;
  return says_no_memory(run_.errors) ? QED_RUN_MEMORY : QED_RUN_ERROR;
}

}  // namespace qed::sandbox
