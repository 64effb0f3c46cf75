#pragma once

// What every call into a plugin needs: the qed_call with room for an error message, sinks for what
// the plugin writes, and the Error that a failure becomes. Nothing that comes out of a plugin is
// trusted: bytes are bounded and checked, text that people or JSON files get to see is valid UTF-8.

#include "core/host/plugin_host.h"
#include "core/util/error.h"

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace qed {

inline qed_str to_abi(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view from_abi(qed_str s) {
  return s.p == nullptr ? std::string_view{} : std::string_view(s.p, s.n);
}

bool is_utf8(std::string_view bytes);
// `bytes` with every invalid byte replaced by U+FFFD.
std::string to_utf8(std::string_view bytes);

// A qed_call and its error buffer. Lives on the stack of one call; not copied, since it points into
// itself.
class PluginCall {
 public:
  explicit PluginCall(std::uint64_t seed = 0);
  PluginCall(const PluginCall&) = delete;
  PluginCall& operator=(const PluginCall&) = delete;

  qed_call* abi() { return &call_; }
  qed_err* err() { return &err_; }
  // The plugin's message; the name of the status where it gave none.
  std::string message(std::int32_t status) const;

 private:
  std::array<char, 4096> text_;
  qed_err err_;
  qed_call call_;
};

// A qed_writer over a string of at most `limit` bytes. What goes beyond is refused and remembered,
// or silently dropped where `truncates`.
class TextSink {
 public:
  explicit TextSink(std::uint64_t limit, bool truncates = false);
  TextSink(const TextSink&) = delete;
  TextSink& operator=(const TextSink&) = delete;

  qed_writer* abi() { return &writer_; }
  bool is_full() const { return is_full_; }
  std::uint64_t limit() const { return limit_; }
  std::string& text() { return text_; }

 private:
  static std::int32_t append(qed_writer* self, const std::uint8_t* data, std::uint64_t n) noexcept;

  qed_writer writer_;
  std::uint64_t limit_;
  bool truncates_;
  bool is_full_ = false;
  std::string text_;
};

// Serialises the calls of one object whose component is not QED_CONCURRENT.
class CallLock {
 public:
  explicit CallLock(const Component& component)
      : is_needed_((component.abi->flags & QED_CONCURRENT) == 0) {}

  // Held while a call runs; holds nothing for a component that is concurrent.
  std::unique_lock<std::mutex> hold() const {
    return is_needed_ ? std::unique_lock(mutex_) : std::unique_lock<std::mutex>();
  }

 private:
  bool is_needed_;
  mutable std::mutex mutex_;
};

// "task `arithmetic` (plugins/tasks/arithmetic.so)": how messages begin.
std::string label(const Component& component);

// Throws Error with exit code 3: label, then what is wrong.
[[noreturn]] void fail_plugin(const Component& component, const std::string& what);
// The same for a mistake of the plugin's author.
[[noreturn]] void fail_plugin_bug(const Component& component, const std::string& what);
// For create, and the calls of a task on items, that ended with `status`; `what` begins the
// message. Exit code 2, without the path, where it refused what the user gave: INVALID options, or
// DATA that is bad.
[[noreturn]] void fail_call(const Component& component, const std::string& what,
                            const PluginCall& call, std::int32_t status);

// Creates a component's object: the common part of the faces. Throws Error when the component
// refuses its options, or has a qed.state/1 that is not whole.
void* create_object(const Component& component, const qed_object& table, const std::string& options,
                    const qed_host* host);

}  // namespace qed
