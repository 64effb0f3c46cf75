#include "core/sandbox/first_process.h"

#include "core/sandbox/confine.h"
#include "core/sandbox/protocol.h"
#include "core/sandbox/root.h"
#include "core/util/error.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>

namespace qed::sandbox {
namespace {

constexpr const char* kEnvironment[] = {
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "HOME=/box/work",
    "TMPDIR=/tmp",
    "LANG=C.UTF-8",
    "PYTHONHASHSEED=0",  // the same order of sets every time
    "PYTHONDONTWRITEBYTECODE=1",
    nullptr,
};

[[noreturn]] void fail(const std::string& what) {
  throw Error(cat(what, ": ", std::strerror(errno)));
}

void write_all(int file, std::string_view bytes, const std::string& what) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(what);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void make_file(const std::string& path, std::string_view data, mode_t mode) {
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
  if (file < 0) fail(cat("cannot make ", path));
  write_all(file, data, cat("cannot write ", path));
  ::close(file);
}

void make_folder(const Task& task) {
  std::uint64_t bytes = task.limits.disk_bytes, num_files = task.limits.files;
  constexpr std::uint64_t kPage = 4096, kOwn = 8;  // the folders, the input
  const auto add = [&](std::size_t size) {
    bytes += (size + 2 * kPage - 1) / kPage * kPage;
    ++num_files;
  };
  add(task.input->size());
  for (const auto* files : task.files) {
    for (const File& file : *files) add(file.data.size());
  }
  enter_box(bytes + kOwn * kPage, num_files + kOwn);
  make_file(kInputFile, *task.input, 0444);
  for (const auto* files : task.files) {
    for (const File& file : *files) {
      make_file(cat(kWorkFolder, "/", file.name), file.data, file.is_executable ? 0755 : 0644);
    }
  }
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void start(const Task& task, const Ends& ends, int failures) {
  reset_signals();
  ::setsid();
  const int input = ::open(kInputFile, O_RDONLY | O_CLOEXEC);
  if (input < 0 || ::dup2(input, 0) < 0 || ::dup2(ends.output, 1) < 0 ||
      ::dup2(ends.errors, 2) < 0 || ::chdir(kWorkFolder) != 0) {
    fail("cannot set up the program");
  }
  std::vector<char*> words;
  for (const std::string& word : *task.command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const std::string what = cat("cannot start `", task.command->front(), "`: ");
  // A file of the job may be whatever its author likes: what a shell would say is its output.
  const bool is_of_job = task.command->front().find('/') != std::string::npos;
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  restrict_files(kBox);
  drop_capabilities();
  filter_system_calls();
  set_limits(task.limits);  // last: a sanitizer's process is larger than any of them
  ::execvpe(words[0], words.data(), const_cast<char* const*>(kEnvironment));
  // No allocation from here on: the limits leave no room for it.
  const std::string_view why = std::strerror(errno);
  const int to = is_of_job ? 2 : failures;
  write_all(to, what, what);
  write_all(to, why, what);
  if (is_of_job) write_all(to, "\n", what);
  ::_exit(127);
}

// Starts the program, and waits until it runs, or throws why it does not.
pid_t start_child(const Task& task, const Ends& ends) {
  int pipe[2];  // closed by a successful exec
  if (::pipe2(pipe, O_CLOEXEC) != 0) fail("no pipe");
  const pid_t pid = ::fork();
  if (pid < 0) fail("no process");
  if (pid == 0) {
    try {
      start(task, ends, pipe[1]);
    } catch (const std::exception& error) {
      write_all(pipe[1], error.what(), "");
    }
    ::_exit(127);
  }
  ::close(pipe[1]);
  std::string failure;
  char buffer[512];
  for (ssize_t n; (n = ::read(pipe[0], buffer, sizeof buffer)) != 0;) {
    if (n < 0 && errno != EINTR) fail("no word of the program");
    if (n > 0) failure.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(pipe[0]);
  if (!failure.empty()) throw Error(failure);
  return pid;
}

// A product that is missing, or no plain file, or too long, is left out: the build made none.
void read_products(const Task& task, Report& report) {
  for (const std::string& name : *task.products) {
    const std::string path = cat(kWorkFolder, "/", name);
    const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) continue;
    struct stat info {};
    const bool is_good = ::fstat(file, &info) == 0 && S_ISREG(info.st_mode) &&
                         static_cast<std::uint64_t>(info.st_size) <= task.limits.disk_bytes;
    if (is_good) {
      File product = {name, {}, (info.st_mode & S_IXUSR) != 0};
      product.data.resize(static_cast<std::size_t>(info.st_size));
      const ssize_t n = ::read(file, product.data.data(), product.data.size());
      if (n == static_cast<ssize_t>(product.data.size())) {
        report.products.push_back(std::move(product));
      }
    }
    ::close(file);
  }
}

Report run(const Task& task, const Ends& ends) {
  Report report;
  make_folder(task);
  const pid_t program = start_child(task, ends);
  ::prctl(PR_SET_DUMPABLE, 0);  // out of the program's reach
  ::close(ends.output);
  ::close(ends.errors);
  for (;;) {  // orphans of the program are ours
    const pid_t pid = ::waitpid(-1, &report.wait_status, 0);
    if (pid == program) break;
    if (pid < 0 && errno != EINTR) fail("lost the program");
  }
  ::kill(-1, SIGKILL);  // all but ourselves; their use counts too
  int status = 0;
  while (::waitpid(-1, &status, 0) > 0) {
  }
  rusage use{};
  ::getrusage(RUSAGE_CHILDREN, &use);
  const auto microseconds = [](const timeval& t) {
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(t.tv_usec);
  };
  report.cpu_us = microseconds(use.ru_utime) + microseconds(use.ru_stime);
  report.memory_bytes = static_cast<std::uint64_t>(use.ru_maxrss) * 1024;
  read_products(task, report);
  return report;
}

}  // namespace

void run_first_process(const Task& task, const Ends& ends) {
  Report report;
  try {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    pollfd helper = {ends.helper, POLLIN, 0};  // who died before that line sends no signal
    if (::poll(&helper, 1, 0) != 0) ::_exit(1);
    report = run(task, ends);
  } catch (const std::exception& error) {
    report = {};
    report.failure = error.what();
  }
  try {
    write_all(ends.report, write_report(report), "");
  } catch (const std::exception&) {  // then nobody reads it
  }
  ::_exit(0);
}

}  // namespace qed::sandbox
