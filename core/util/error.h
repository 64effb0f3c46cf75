#pragma once

// The two kinds of failure. A user can mend an Error; a failed QED_CHECK is a bug in qed.

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace qed {

// Exit codes of the program. Documented in README.md; never renumbered.
inline constexpr int kExitOk = 0;
inline constexpr int kExitRunFailed = 1;
inline constexpr int kExitUsage = 2;  // command line or config
inline constexpr int kExitPlugin = 3;
inline constexpr int kExitInterrupted = 130;

// A mistake in what the user gave us. `what()` is one lower-case sentence without a full stop that
// says what is wrong and where; `hint()` says what to do and may be empty.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, std::string hint = "", int exit_code = kExitRunFailed)
      : std::runtime_error(message), hint_(std::move(hint)), exit_code_(exit_code) {}

  const std::string& hint() const { return hint_; }
  int exit_code() const { return exit_code_; }

 private:
  std::string hint_;
  int exit_code_;
};

// Concatenates its arguments as text, for messages: cat("step ", 3, " of ", 4).
template <class... Args>
std::string cat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

// Throws std::logic_error with the condition and its place. Called by QED_CHECK only.
[[noreturn]] inline void check_failed(const char* condition, const char* file, int line,
                                      const std::string& detail) {
  throw std::logic_error(cat(file, ":", line, ": ", condition, detail.empty() ? "" : "; ", detail,
                             " (this is a bug in qed)"));
}

}  // namespace qed

// Asserts what must hold whatever the user does; on in every build. Further arguments are printed.
#define QED_CHECK(condition, ...)                                     \
  do {                                                                \
    if (!(condition)) {                                               \
      ::qed::check_failed(#condition, __FILE__, __LINE__,             \
                          ::qed::cat("" __VA_OPT__(, ) __VA_ARGS__)); \
    }                                                                 \
  } while (0)
