#include "tests/fuzz/guard.h"

#include "core/util/error.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace qed::fuzz {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

constexpr std::size_t kMiB = 1 << 20;
constexpr std::size_t kMaxPeak = 256 * kMiB, kMaxLeft = 16 * kMiB, kMaxSpace = 1024 * kMiB;
constexpr int kMaxBatchSeconds = 60;

char message[512];

void print_message() {
  if (write(STDERR_FILENO, message, std::strlen(message)) < 0) return;
}

void end_process(int signal) {
  print_message();
  _exit(128 + signal);
}

void handle(int signal) {
  struct sigaction action = {};
  action.sa_handler = end_process;
  action.sa_flags = SA_ONSTACK;
  sigaction(signal, &action, nullptr);
}

void set_timer(int seconds) {
  const itimerval value = {.it_interval = {}, .it_value = {.tv_sec = seconds, .tv_usec = 0}};
  setitimer(ITIMER_PROF, &value, nullptr);
}

std::size_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

std::size_t bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double max_seconds() { return kIsSanitized ? 20 : 1; }

Deadline::Deadline(const std::string& what) {
  const std::string text = "FAILED: a crash, or no end, in: " + what + "\n";
  message[text.copy(message, sizeof message - 1)] = '\0';
  static char stack[1 << 16];  // the plugin may have used up its own
  const stack_t other = {.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof stack};
  sigaltstack(&other, nullptr);
  handle(SIGPROF);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_set_death_callback(print_message);
#else
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) handle(signal);
#endif
  set_timer(kMaxBatchSeconds);
}

Deadline::~Deadline() { set_timer(0); }

MemoryGuard::MemoryGuard() : peak_(peak_bytes()), in_use_(bytes_in_use()) {
  if (kIsSanitized) return;
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t bytes = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + kMaxSpace;
  const rlimit limit = {bytes, RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &limit);
}

std::string MemoryGuard::problem() const {
  if (kIsSanitized) return "";
  const std::size_t grown = peak_bytes() - peak_;
  if (grown > kMaxPeak) return cat("the process grew by ", grown / kMiB, " MiB");
  const std::size_t now = bytes_in_use();
  if (now > in_use_ + kMaxLeft) return cat((now - in_use_) / kMiB, " MiB were not given back");
  return "";
}

}  // namespace qed::fuzz
