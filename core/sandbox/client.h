#pragma once

// qed's side of the sandbox: starts the helper process at the first job, and talks to it.

#include "core/sandbox/job.h"
#include "core/sandbox/protocol.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace qed::sandbox {

// Functions are [any]. A helper that has died takes its jobs with it, as failures; the next job
// gets a new one.
class Client {
 public:
  // `command` starts the helper (server.h).
  explicit Client(std::vector<std::string> command) : command_(std::move(command)) {}
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Throws Error with the reason where programs cannot be isolated here.
  void check();
  // Throws Error; the job must have no problem.
  std::uint64_t submit(const Job& job);
  // Nothing: it has not ended. A ticket that is not known is a failure.
  std::optional<Result> poll(std::uint64_t ticket, std::chrono::milliseconds wait);
  void drop(std::uint64_t ticket);

 private:
  void start();
  void await_greeting();
  void receive(std::chrono::milliseconds wait);
  void take(Frame&& frame);
  void send(Kind kind, std::uint64_t ticket, std::string_view body);
  void stop(const std::string& why);

  std::vector<std::string> command_;
  std::mutex mutex_;
  pid_t helper_ = 0;  // 0: none
  int socket_ = -1;
  bool is_ready_ = false;
  std::string refusal_;
  FrameReader in_;
  std::uint64_t next_ticket_ = 1;
  std::map<std::uint64_t, std::optional<Result>> jobs_;  // nothing: not ended
};

}  // namespace qed::sandbox
