#include "core/check/process_state.h"

#include "core/util/error.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <filesystem>
#include <fstream>

extern char** environ;

namespace qed::check {
namespace {

namespace fs = std::filesystem;

constexpr int kSignals = 31;

std::vector<std::string> open_files() {
  std::vector<std::string> out;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    names.push_back(entry.path().filename().string());
  }
  for (const std::string& name : names) {  // the iterator's own descriptor is closed by now
    std::error_code gone;
    const fs::path target = fs::read_symlink("/proc/self/fd/" + name, gone);
    if (!gone) out.push_back(name + " -> " + target.string());
  }
  std::ranges::sort(out);
  return out;
}

std::size_t count_threads() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/task")) ++n;
  return n;
}

std::string blocked_signals() {
  sigset_t set;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &set);
  std::string out;
  for (int s = 1; s <= kSignals; ++s) out += ::sigismember(&set, s) == 1 ? cat(s, " ") : "";
  return out;
}

std::vector<void*> handlers() {
  std::vector<void*> out;
  for (int s = 1; s <= kSignals; ++s) {
    struct sigaction action {};
    ::sigaction(s, nullptr, &action);
    out.push_back(reinterpret_cast<void*>(action.sa_handler));
  }
  return out;
}

}  // namespace

ProcessState ProcessState::now() {
  ProcessState s;
  s.num_threads = count_threads();
  s.files = open_files();
  s.handlers = check::handlers();
  s.blocked_signals = check::blocked_signals();
  s.locale = std::setlocale(LC_ALL, nullptr);
  s.folder = fs::current_path().string();
  s.file_mask = ::umask(0);
  ::umask(s.file_mask);
  for (char** p = environ; *p != nullptr; ++p) s.environment.emplace_back(*p);
  s.float_control = _mm_getcsr() & ~0x3Fu;  // without the sticky exception flags
  return s;
}

std::string leaked(const ProcessState& before, const ProcessState& after) {
  if (after.num_threads > before.num_threads) {
    return cat(after.num_threads - before.num_threads, " threads were left running");
  }
  for (const std::string& file : after.files) {
    if (std::ranges::find(before.files, file) == before.files.end()) {
      return cat("a file was left open: ", file);
    }
  }
  return "";
}

std::string changed(const ProcessState& before, const ProcessState& after) {
  for (int s = 1; s <= kSignals; ++s) {
    if (before.handlers[s - 1] != after.handlers[s - 1]) return cat("a handler for signal ", s);
  }
  if (before.blocked_signals != after.blocked_signals) return "the mask of blocked signals";
  if (before.locale != after.locale) return cat("the locale, to ", after.locale);
  if (before.folder != after.folder) return cat("the working directory, to ", after.folder);
  if (before.file_mask != after.file_mask) return "the umask";
  if (before.environment != after.environment) return "the environment";
  if (before.float_control != after.float_control) return "the floating-point mode";
  return "";
}

std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  in >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

StdoutWatch::StdoutWatch() {
  std::fflush(stdout);
  saved_ = ::dup(STDOUT_FILENO);
  file_ = ::memfd_create("stdout", MFD_CLOEXEC);
  QED_CHECK(saved_ >= 0 && file_ >= 0);
  ::dup2(file_, STDOUT_FILENO);
}

StdoutWatch::~StdoutWatch() {
  std::fflush(stdout);
  ::dup2(saved_, STDOUT_FILENO);
  ::close(saved_);
  ::close(file_);
}

std::string StdoutWatch::text() const {
  std::fflush(stdout);
  std::string out(256, '\0');
  const ssize_t n = ::pread(file_, out.data(), out.size(), 0);
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return out;
}

}  // namespace qed::check
