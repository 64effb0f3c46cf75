#include "core/sandbox/client.h"

#include "core/sandbox/server.h"
#include "core/util/error.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace qed::sandbox {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kGreeting = 30s;  // that a helper may take to start

constexpr char kHint[] =
    "run it where a user may make namespaces: not in a container that forbids them, with "
    "user.max_user_namespaces above 0 and, on Ubuntu, "
    "kernel.apparmor_restrict_unprivileged_userns = 0";

std::string ending(int status) {
  if (WIFEXITED(status)) return cat("exit code ", WEXITSTATUS(status));
  return cat("signal ", WTERMSIG(status));
}

}  // namespace

Client::~Client() { stop("qed ends"); }

// The thread that calls has the lock, here and in what follows.
void Client::start() {
  if (!refusal_.empty()) throw Error(refusal_, kHint);
  if (helper_ != 0) return;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw Error(cat("no socket for the sandbox: ", std::strerror(errno)));
  }
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], kSocket);
  std::vector<char*> words;
  for (const std::string& word : command_) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int error = ::posix_spawn(&helper_, words[0], &files, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  if (error != 0) {
    helper_ = 0;
    ::close(ends[0]);
    throw Error(cat("cannot start the sandbox's helper `", words[0], "`: ", std::strerror(error)));
  }
  socket_ = ends[0];
  await_greeting();
}

void Client::await_greeting() {
  const auto until = Clock::now() + kGreeting;
  while (helper_ != 0 && !is_ready_ && refusal_.empty()) {
    if (Clock::now() > until) stop("it does not answer");
    receive(100ms);
  }
  if (!refusal_.empty()) {
    stop("it has refused");
    throw Error(refusal_, kHint);
  }
  if (!is_ready_) throw Error("the sandbox's helper process has ended before it was ready");
}

void Client::check() {
  const std::lock_guard lock(mutex_);
  start();
}

std::uint64_t Client::submit(const Job& job) {
  std::string body = write_job(job);
  if (body.size() > kMaxFrame / 2) throw Error("the job is larger than 512 MiB");
  const std::lock_guard lock(mutex_);
  start();
  const std::uint64_t ticket = next_ticket_++;
  jobs_[ticket];
  send(Kind::kSubmit, ticket, body);
  return ticket;
}

std::optional<Result> Client::poll(std::uint64_t ticket, std::chrono::milliseconds wait) {
  // Several threads may wait on one socket, and one takes what has come for another: so none sleeps
  // for long. A socket that is closed meanwhile wakes it up.
  constexpr auto kNap = 5ms;
  const auto until = Clock::now() + wait;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    pollfd event = {-1, POLLIN, 0};
    {
      const std::lock_guard lock(mutex_);
      receive(0ms);
      const auto found = jobs_.find(ticket);
      if (found == jobs_.end()) return Result{"there is no such job", {}, {}};
      if (found->second) return std::move(*jobs_.extract(found).mapped());
      if (left <= 0ms) return std::nullopt;
      event.fd = socket_;
    }
    ::poll(&event, 1, static_cast<int>(std::min<std::int64_t>(left.count(), kNap.count())));
  }
}

void Client::drop(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const auto job = jobs_.extract(ticket);
  if (!job.empty() && !job.mapped()) send(Kind::kDrop, ticket, "");
}

void Client::receive(std::chrono::milliseconds wait) {
  while (helper_ != 0) {
    pollfd event = {socket_, POLLIN, 0};
    if (::poll(&event, 1, static_cast<int>(wait.count())) <= 0) return;
    char buffer[1 << 16];
    const ssize_t n = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return stop("");
    in_.add({buffer, static_cast<std::size_t>(n)});
    while (auto frame = in_.next()) take(std::move(*frame));
    if (in_.is_broken()) return stop("it sends what is no frame");
    wait = 0ms;
  }
}

void Client::take(Frame&& frame) {
  if (frame.kind == Kind::kReady) is_ready_ = true;
  if (frame.kind == Kind::kRefused) {
    refusal_ = cat("this machine does not let qed isolate programs: ", frame.body);
  }
  if (frame.kind != Kind::kResult) return;
  const auto found = jobs_.find(frame.ticket);
  if (found == jobs_.end()) return;  // dropped
  auto result = read_result(frame.body);
  found->second = result ? std::move(*result) : Result{"the helper sends no result", {}, {}};
}

void Client::send(Kind kind, std::uint64_t ticket, std::string_view body) {
  std::string frame;
  append_frame(frame, kind, ticket, body);
  for (std::string_view left = frame; !left.empty() && helper_ != 0;) {
    const ssize_t n = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return stop("");
    left.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Ends the helper, and with it its runs; jobs that have not ended fail.
void Client::stop(const std::string& why) {
  if (helper_ == 0) return;
  ::close(std::exchange(socket_, -1));
  if (!why.empty()) ::kill(helper_, SIGKILL);
  int status = 0;
  while (::waitpid(helper_, &status, 0) < 0 && errno == EINTR) {
  }
  helper_ = 0;
  is_ready_ = false;
  in_ = {};
  const std::string reason = why.empty() ? ending(status) : why;
  for (auto& [ticket, result] : jobs_) {
    if (!result) {
      result = Result{cat("the sandbox's helper process has ended: ", reason), {}, {}};
    }
  }
}

}  // namespace qed::sandbox
