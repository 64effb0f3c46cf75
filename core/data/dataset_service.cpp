#include "core/data/dataset_service.h"

#include "core/data/dataset.h"
#include "core/host/plugin_call.h"
#include "core/util/error.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace qed {
namespace {

using Handle = std::shared_ptr<const Dataset>;

const Dataset& dataset(const void* data) { return **static_cast<const Handle*>(data); }

std::int32_t fail(qed_call* call, std::int32_t code, std::string_view message) noexcept {
  if (call != nullptr && call->err != nullptr) {
    qed_err& err = *call->err;
    err.code = code;
    err.msg_len = std::min<std::uint64_t>(message.size(), err.msg_cap);
    if (err.msg_len > 0) std::memcpy(err.msg, message.data(), err.msg_len);
  }
  return code;
}

// Runs `body` and turns what it throws into a status with its message. Paths and reasons of the
// system may be any bytes; messages are UTF-8.
template <class Body>
std::int32_t serve(qed_call* call, Body&& body) noexcept try {
  try {
    body();
    return QED_OK;
  } catch (const Error& e) {
    return fail(call, QED_DATA,
                to_utf8(e.hint().empty() ? e.what() : cat(e.what(), "; ", e.hint())));
  }
} catch (const std::bad_alloc&) {
  return fail(call, QED_RESOURCE, "out of memory");
} catch (const std::exception& e) {
  return fail(call, QED_INTERNAL, e.what());
}

void append(qed_writer* out, std::string_view bytes) {
  if (out->append(out, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) != 0) {
    throw Error("the writer takes no more output");
  }
}

std::int32_t open(const qed_host_dataset*, qed_call* call, qed_str path, qed_strs columns,
                  void** data) noexcept {
  return serve(call, [&] {
    *data = nullptr;
    std::vector<std::string> names;
    for (std::uint64_t i = 0; columns.p != nullptr && i < columns.n; ++i) {
      names.emplace_back(from_abi(columns.p[i]));
    }
    *data = new Handle(Dataset::open(std::string(from_abi(path)), names));
  });
}

std::int32_t count(const qed_host_dataset*, qed_call* call, const void* data,
                   std::uint64_t* n) noexcept {
  return serve(call, [&] { *n = dataset(data).count(); });
}

std::int32_t row(const qed_host_dataset*, qed_call* call, const void* data, std::uint64_t index,
                 qed_writer* json) noexcept {
  return serve(call, [&] {
    thread_local std::string text;  // kept for its memory
    text.clear();
    dataset(data).row(index, text);
    append(json, text);
  });
}

std::int32_t place(const qed_host_dataset*, qed_call* call, const void* data, std::uint64_t index,
                   qed_writer* out) noexcept {
  return serve(call, [&] { append(out, dataset(data).place(index)); });
}

void close(const qed_host_dataset*, void* data) noexcept { delete static_cast<Handle*>(data); }

}  // namespace

const qed_host_dataset* dataset_service() {
  static constexpr qed_host_dataset kService = {.size = sizeof(qed_host_dataset),
                                                .reserved = 0,
                                                .open = &open,
                                                .count = &count,
                                                .row = &row,
                                                .place = &place,
                                                .close = &close};
  return &kService;
}

}  // namespace qed
