#include "child.h"

#include "qed/error.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr std::size_t kMaxLine = 1 << 20;  // of an answer

[[noreturn]] void fail(const std::string& what, int error) {
  throw qed::Error(what + ": " + std::strerror(error), QED_RESOURCE);
}

std::string ending(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "an unknown status";
}

}  // namespace

void Child::start() {
  // One socket for both directions: unlike a pipe it can be written without SIGPIPE.
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("no socket", errno);
  socket_ = ends[0];
  ::fcntl(socket_, F_SETFL, O_NONBLOCK);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, ends[1], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  const char* const arguments[] = {"/bin/sh", "-c", command_.c_str(), nullptr};
  const int error = ::posix_spawn(&pid_, arguments[0], &files, &attributes,
                                  const_cast<char* const*>(arguments), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  ::close(ends[1]);
  if (error != 0) {
    pid_ = 0;
    stop();
    fail("the command cannot be started", error);
  }
}

void Child::stop() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  received_.clear();
  if (pid_ == 0) return;
  const pid_t pid = std::exchange(pid_, 0);
  int status = 0;
  if (::waitpid(pid, &status, WNOHANG) != pid) {  // it may be about to end by itself
    ::usleep(1000);
    if (::waitpid(pid, &status, WNOHANG) != pid) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, &status, 0);
    }
  }
  ::kill(-pid, SIGKILL);  // what it started itself
  status_text_ = ending(status);
}

bool Child::take_line(std::string& line) {
  const auto end = received_.find('\n');
  if (end == received_.npos) return false;
  line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return true;
}

bool Child::exchange(std::string_view& pending, int wait_ms) {
  pollfd event = {socket_, static_cast<short>(pending.empty() ? POLLIN : POLLIN | POLLOUT), 0};
  if (::poll(&event, 1, wait_ms) <= 0) return true;
  if ((event.revents & POLLOUT) != 0 && !pending.empty()) {
    const auto sent = ::send(socket_, pending.data(), pending.size(), MSG_NOSIGNAL);
    if (sent > 0) pending.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
  }
  if ((event.revents & (POLLIN | POLLHUP | POLLERR)) == 0) return true;
  char buffer[1 << 16];
  const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
  if (got > 0) received_.append(buffer, static_cast<std::size_t>(got));
  if (received_.size() > kMaxLine && received_.find('\n') == received_.npos) return false;
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

Child::Outcome Child::ask(std::string_view& pending, std::chrono::milliseconds timeout,
                          std::string& line) {
  using Clock = std::chrono::steady_clock;
  if (pid_ == 0) start();
  const auto end = Clock::now() + timeout;
  for (;;) {
    if (take_line(line)) return Outcome::kAnswer;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return stop(), Outcome::kTimeout;
    if (!exchange(pending, static_cast<int>(std::min<std::int64_t>(left, 1000)))) {
      if (take_line(line)) return Outcome::kAnswer;
      return stop(), Outcome::kEnd;
    }
  }
}
