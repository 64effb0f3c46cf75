#include "core/check/child.h"

#include "core/check/sanitizer.h"
#include "core/host/plugin_call.h"
#include "core/util/error.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace qed::check {
namespace {

constexpr int kAnswerFile = 3;
constexpr std::uint64_t kMaxMemory = std::uint64_t{8} << 30;

// A file in memory.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("qed check", MFD_CLOEXEC)) {
    // Above the numbers that the child's own files get.
    const int high = ::fcntl(fd_, F_DUPFD_CLOEXEC, 10);
    ::close(fd_);
    fd_ = high;
    QED_CHECK(fd_ >= 0, std::strerror(errno));
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int fd() const { return fd_; }
  std::string text() const {
    std::string out;
    char buffer[1 << 16];
    for (ssize_t n;
         (n = ::pread(fd_, buffer, sizeof buffer, static_cast<off_t>(out.size()))) > 0;) {
      out.append(buffer, static_cast<std::size_t>(n));
    }
    return out;
  }

 private:
  int fd_;
};

std::vector<std::string> environment(bool is_strange) {
  std::vector<std::string> out;
  for (char** p = environ; *p != nullptr; ++p) out.emplace_back(*p);
  if (is_strange) {
    for (const char* variable : {"MALLOC_PERTURB_=165", "TZ=Asia/Kathmandu", "LC_ALL=tr_TR.UTF-8",
                                 "LANG=tr_TR.UTF-8", "USER=someone", "HOSTNAME=elsewhere"}) {
      const std::string_view name =
          std::string_view(variable).substr(0, std::string_view(variable).find('=') + 1);
      std::erase_if(out, [&](const std::string& v) { return v.starts_with(name); });
      out.emplace_back(variable);
    }
  }
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (std::string& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

pid_t spawn(const Job& job, const ChildOptions& options, const MemoryFile& output,
            const MemoryFile& answer) {
  std::vector<std::string> arguments = {"qed", "plugin", "check-one"};
  for (std::string& argument : to_arguments(job)) arguments.push_back(std::move(argument));
  std::vector<std::string> variables = environment(options.is_strange);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output.fd(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.fd(), STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, answer.fd(), kAnswerFile);
  pid_t pid = -1;
  const int problem = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr,
                                    pointers(arguments).data(), pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) throw Error(cat("cannot start a process: ", std::strerror(problem)));
  return pid;
}

// Waits for the end of the child; kills it when the time is over. Returns false then.
bool wait_for(pid_t pid, double timeout_s, int& status) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  bool is_in_time = true;
  if (handle >= 0) {
    pollfd watch = {handle, POLLIN, 0};
    int ready = 0;
    do {
      ready = ::poll(&watch, 1, static_cast<int>(timeout_s * 1000));
    } while (ready < 0 && errno == EINTR);
    is_in_time = ready > 0;
    ::close(handle);
  }
  if (!is_in_time) ::kill(pid, SIGKILL);
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return is_in_time;
}

// The line that says most of what a dead child printed: a sanitizer's, or the last one.
std::string last_words(const std::string& output) {
  std::string last;
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = std::min(output.find('\n', at), output.size());
    const std::string line = output.substr(at, end - at);
    const bool is_sanitizer =
        line.starts_with("SUMMARY: ") || line.find(": runtime error: ") != line.npos;
    if (is_sanitizer) return to_utf8(line);
    if (line.find_first_not_of(" =") != line.npos) last = line;
    at = end + 1;
  }
  return shown(last);
}

}  // namespace

JobAnswer run_child(const Job& job, const ChildOptions& options) {
  const MemoryFile output, answer;
  const pid_t pid = spawn(job, options, output, answer);
  int status = 0;
  std::string why;
  if (!wait_for(pid, options.timeout_s, status)) {
    why = cat("it was still running after ", options.timeout_s, " s");
  } else if (WIFSIGNALED(status)) {
    why = cat("the process was ended by signal ", WTERMSIG(status), " (",
              ::strsignal(WTERMSIG(status)), ")");
  } else if (WEXITSTATUS(status) != 0) {
    why = cat("the process exited with code ", WEXITSTATUS(status));
  } else if (answer.text().empty()) {
    why = "the process exited in the middle of the test";
  }
  if (why.empty()) return read_answer(answer.text());
  const std::string words = last_words(output.text());
  JobAnswer failed;
  failed.result = {Outcome::kFailed, words.empty() ? why : cat(why, ": ", words)};
  return failed;
}

std::vector<std::string> to_arguments(const Job& job) {
  std::vector<std::string> out = {job.open.file,
                                  "--test",
                                  job.test,
                                  "--component",
                                  std::to_string(job.component),
                                  "--seed",
                                  std::to_string(job.open.seed)};
  if (job.open.is_thorough) out.emplace_back("--thorough");
  for (const std::string& set : job.open.sets) out.push_back("--set=" + set);
  return out;
}

int run_as_child(const Job& job) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core = {0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (!has_sanitizer()) {
    const rlimit memory = {kMaxMemory, kMaxMemory};
    ::setrlimit(RLIMIT_AS, &memory);
  }
  const std::string text = to_text(do_job(job));
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(kAnswerFile, text.data() + at, text.size() - at);
    if (n <= 0) return kExitRunFailed;
    at += static_cast<std::size_t>(n);
  }
  return kExitOk;
}

}  // namespace qed::check
