#include "core/host/scan_process.h"

#include "core/host/load_problem.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

namespace qed {
namespace {

namespace fs = std::filesystem;

// A running scanner, and the lines that it has printed.
class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail(arguments.front(), errno);
    std::vector<char*> argv;
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_t attributes;  // a group of its own: what the plugin starts ends with it
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int failure = ::posix_spawn(&pid_, argv[0], &actions, &attributes, argv.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    out_ = ends[0];
    if (failure == 0) return;
    ::close(out_);
    fail(arguments.front(), failure);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!is_over_) stop();
    ::close(out_);
  }

  // The next line. Nothing: the child has closed its output, or was silent for too long.
  std::optional<std::string> read_line(std::chrono::milliseconds timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    for (;;) {
      if (const std::size_t end = buffer_.find('\n'); end != buffer_.npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return line;
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      pollfd ready = {out_, POLLIN, 0};
      const int n = left.count() <= 0 ? 0 : ::poll(&ready, 1, static_cast<int>(left.count()));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        is_late_ = true;
        return std::nullopt;
      }
      char bytes[4096];
      const ssize_t count = ::read(out_, bytes, sizeof bytes);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return std::nullopt;
      buffer_.append(bytes, static_cast<std::size_t>(count));
    }
  }

  bool is_late() const { return is_late_; }

  // Ends the child and all that it has started; its status as waitpid gives it. A child that closed
  // its output has a second to end by itself.
  int stop() {
    for (int i = 0; !is_late_ && i < 200 && !has_ended(); ++i) ::usleep(5000);
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    is_over_ = true;
    return status;
  }

 private:
  bool has_ended() const {  // leaves it to waitpid
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid != 0;
  }

  [[noreturn]] static void fail(const std::string& program, int code) {
    throw Error(cat("cannot start `", program, "` to scan plugins: ", std::strerror(code)));
  }

  pid_t pid_ = -1;
  int out_ = -1;
  bool is_late_ = false, is_over_ = false;
  std::string buffer_;
};

std::optional<ScannedFile> parse_line(const std::string& line) {
  try {
    return scan_from_json(nlohmann::json::parse(line));
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

// Why a child printed no line for a file.
LoadProblem ending(Child& child, std::chrono::milliseconds timeout) {
  const bool is_late = child.is_late();
  const int status = child.stop();
  if (is_late) {
    return {"P037", cat("it took more than ", timeout.count(), " ms to load"), kAuthorHint};
  }
  if (WIFSIGNALED(status)) {
    return {"P036",
            cat("it killed the process that loaded it (signal ", WTERMSIG(status), ", ",
                ::strsignal(WTERMSIG(status)), ")"),
            kAuthorHint};
  }
  return {"P036", cat("it ended the process that loaded it (exit code ", WEXITSTATUS(status), ")"),
          kAuthorHint};
}

ScannedFile failed_scan(const fs::path& path, const LoadProblem& problem) {
  ScannedFile out;
  out.path = path;
  try {
    refuse(path, problem);
  } catch (const Error& error) {
    out.error = error.what();
    out.hint = error.hint();
  }
  return out;
}

}  // namespace

std::vector<ScannedFile> scan_in_children(const std::vector<std::string>& command,
                                          std::span<const fs::path> files,
                                          std::chrono::milliseconds timeout) {
  std::vector<ScannedFile> out;
  while (out.size() < files.size()) {
    std::vector<std::string> arguments = command;
    for (const fs::path& path : files.subspan(out.size())) arguments.push_back(path.string());
    Child child(arguments);
    while (out.size() < files.size()) {
      const auto line = child.read_line(timeout);
      auto file = line ? parse_line(*line) : std::nullopt;
      if (line && !file) continue;  // not a result: something that a plugin wrote
      if (!file) {
        out.push_back(failed_scan(files[out.size()], ending(child, timeout)));
        break;
      }
      file->path = files[out.size()];
      out.push_back(std::move(*file));
    }
  }
  return out;
}

}  // namespace qed
