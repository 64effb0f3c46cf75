#pragma once

// A child process that answers lines with lines.

#include <chrono>
#include <string>
#include <string_view>

#include <sys/types.h>

// Started by /bin/sh in a process group of its own; killed with the object. Its stderr is the
// program's. One thread at a time.
class Child {
 public:
  explicit Child(std::string command) : command_(std::move(command)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { stop(); }

  enum class Outcome { kAnswer, kTimeout, kEnd };

  // Sends what is left of `pending` and waits for one line, which goes to `line` without its end;
  // starts the child when there is none. `pending` loses what was sent. On timeout and end the
  // child is killed and `status_text` says how it ended.
  Outcome ask(std::string_view& pending, std::chrono::milliseconds timeout, std::string& line);
  const std::string& status_text() const { return status_text_; }
  void stop();

 private:
  void start();
  bool take_line(std::string& line);
  bool exchange(std::string_view& pending, int wait_ms);  // false: the child has closed its end

  std::string command_;
  pid_t pid_ = 0;  // 0: none is running
  int socket_ = -1;
  std::string received_;
  std::string status_text_;
};
