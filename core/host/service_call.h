#pragma once

// How a service of the host answers a plugin: a status, and its reason in the call.

#include "core/host/plugin_call.h"
#include "core/util/error.h"
#include "qed/abi.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <type_traits>

namespace qed {

inline std::int32_t refuse_call(qed_call* call, std::int32_t code,
                                std::string_view message) noexcept {
  if (call != nullptr && call->err != nullptr) {
    qed_err& err = *call->err;
    err.code = code;
    err.msg_len = std::min<std::uint64_t>(message.size(), err.msg_cap);
    if (err.msg_len > 0) std::memcpy(err.msg, message.data(), err.msg_len);
  }
  return code;
}

// Runs `body`, which returns a status or nothing, and turns what it throws into one: an Error into
// `code` with its message and hint. Paths and reasons of the system may be any bytes; messages are
// UTF-8.
template <class Body>
std::int32_t serve(qed_call* call, std::int32_t code, Body&& body) noexcept try {
  try {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      return QED_OK;
    } else {
      return body();
    }
  } catch (const Error& e) {
    return refuse_call(call, code,
                       to_utf8(e.hint().empty() ? e.what() : cat(e.what(), "; ", e.hint())));
  }
} catch (const std::bad_alloc&) {
  return refuse_call(call, QED_RESOURCE, "out of memory");
} catch (const std::exception& e) {
  return refuse_call(call, QED_INTERNAL, e.what());
}

}  // namespace qed
