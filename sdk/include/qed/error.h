#pragma once

// How a plugin reports failure, and the one place where exceptions are caught.

#include "qed/abi.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// Thrown by a plugin's own code; becomes the call's status and message. `what` is one lower-case
// sentence without a full stop that names the value at fault.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what, std::int32_t code = QED_DATA)
      : std::runtime_error(what), code_(code) {}
  std::int32_t code() const { return code_; }

 private:
  std::int32_t code_;
};

inline std::string_view view(qed_str s) { return {s.p, s.n}; }
inline qed_str str(std::string_view s) { return {s.data(), s.size()}; }

// A copy of a growable struct, with 0 for every member that the writer did not know.
template <class T>
T read(const T* p) {
  if (p->size >= sizeof(T)) return *p;
  T local{};
  std::memcpy(&local, p, p->size);
  return local;
}

inline std::int32_t fail(qed_err* err, std::int32_t code, std::string_view message) noexcept {
  if (err != nullptr) {
    err->code = code;
    err->msg_len = std::min<std::uint64_t>(message.size(), err->msg_cap);
    if (err->msg_len > 0) std::memcpy(err->msg, message.data(), err->msg_len);
  }
  return code;
}

// Runs `body` and turns what it throws into a status. Every function that the host calls is a
// guard.
template <class Body>
std::int32_t guard(qed_err* err, Body&& body) noexcept {
  try {
    body();
    return QED_OK;
  } catch (const Error& e) {
    return fail(err, e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return fail(err, QED_RESOURCE, "out of memory");
  } catch (const std::exception& e) {
    return fail(err, QED_INTERNAL, e.what());
  } catch (...) {
    return fail(err, QED_INTERNAL, "unknown exception");
  }
}

// Appends bytes to a host writer.
inline void write(qed_writer* out, std::string_view bytes) {
  if (bytes.empty()) return;
  if (out->append(out, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) != 0) {
    throw Error("the host takes no more output", QED_RESOURCE);
  }
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
