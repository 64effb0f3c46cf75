#pragma once

// Deadlines of the calls that score completions. A thread inside a plugin cannot be ended from
// outside: a call that is not back when twice its time is over ends the program.

#include "core/host/plugin_call.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace qed {

inline constexpr double kCallTimeoutS = 600;  // of a call, and of a score that is PENDING

// Watches the calls of one function of an object, from a thread of its own. [any]
class CallWatch {
 public:
  // `function` names the function in messages; the component must outlive the object.
  CallWatch(const Component& component, std::string function, double timeout_s);
  // No call may run.
  ~CallWatch();
  CallWatch(const CallWatch&) = delete;
  CallWatch& operator=(const CallWatch&) = delete;

  double timeout_s() const { return timeout_s_; }

  // Alive while the call runs; gives it its deadline.
  class Scope {
   public:
    Scope(CallWatch& watch, PluginCall& call);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    CallWatch& watch_;
    std::multiset<std::chrono::steady_clock::time_point>::iterator end_;
  };

 private:
  using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC, as qed_call.deadline_ns is

  void work();
  [[noreturn]] void give_up() const;

  const Component& component_;
  std::string function_;
  double timeout_s_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::multiset<Clock::time_point> ends_;  // of the calls that run: when they are given up
  Clock::time_point next_ = Clock::time_point::max();  // when the thread looks again
  bool is_closed_ = false;
  std::thread thread_;  // started by the first call
};

}  // namespace qed
