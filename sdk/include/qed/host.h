#pragma once

// The services of the host, as a plugin uses them.

#include "qed/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// A qed_writer over a string of the plugin's own.
class StringWriter {
 public:
  explicit StringWriter(std::string& out) : writer_{sizeof(qed_writer), 0, &out, &append} {}
  StringWriter(const StringWriter&) = delete;
  StringWriter& operator=(const StringWriter&) = delete;
  qed_writer* abi() { return &writer_; }

 private:
  static std::int32_t append(qed_writer* self, const std::uint8_t* data, std::uint64_t n) noexcept {
    return guard(nullptr, [&] {
      static_cast<std::string*>(self->host)->append(reinterpret_cast<const char*>(data), n);
    });
  }
  qed_writer writer_;
};

// Calls a function of a service, f(qed_call*), and returns its status, OK or PENDING. Throws Error
// with the host's message for any other.
template <class F>
std::int32_t ask(F&& f) {
  char text[4096];
  qed_err err = {sizeof(qed_err), 0, text, sizeof text, 0};
  qed_call call = {sizeof(qed_call), 0, 0, 0, nullptr, &err};
  const std::int32_t status = f(&call);
  if (status == QED_OK || status == QED_PENDING) return status;
  throw Error({text, static_cast<std::size_t>(err.msg_len)}, status);
}

// An open data file. Closed with the object. Members are [any] and throw Error with the host's
// message.
class DataFile {
 public:
  DataFile() = default;  // no file
  DataFile(const qed_host_dataset* service, void* data) : service_(service), data_(data) {}
  DataFile(DataFile&& other) noexcept { *this = std::move(other); }
  DataFile& operator=(DataFile&& other) noexcept {
    std::swap(service_, other.service_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~DataFile() {
    if (data_ != nullptr) service_->close(service_, data_);
  }

  bool is_open() const { return data_ != nullptr; }

  std::uint64_t count() const {
    std::uint64_t n = 0;
    ask([&](qed_call* call) { return service_->count(service_, call, data_, &n); });
    return n;
  }
  // Row `index` as one JSON object.
  std::string row(std::uint64_t index) const {
    std::string json;
    StringWriter out(json);
    ask([&](qed_call* call) { return service_->row(service_, call, data_, index, out.abi()); });
    return json;
  }
  // Where a row stands: "rows.jsonl:17".
  std::string place(std::uint64_t index) const {
    std::string text;
    StringWriter out(text);
    ask([&](qed_call* call) { return service_->place(service_, call, data_, index, out.abi()); });
    return text;
  }

 private:
  const qed_host_dataset* service_ = nullptr;
  void* data_ = nullptr;
};

// What create hands to a component's `open`. Outlives every object.
class Host {
 public:
  Host(const qed_host* host, qed_call* call) : host_(host), call_(call) {}

  // A line in the run's log. severity: 0 debug, 1 info, 2 warning, 3 error.
  void log(std::int32_t severity, std::string_view message) const {
    host_->log(host_, severity, str(message));
  }

  // Opens jsonl, JSON array, csv or parquet: a path, or a key below QED_DATA_PATH. `columns` empty:
  // all.
  DataFile data(std::string_view path, const std::vector<std::string_view>& columns = {}) const {
    const auto* service = get<qed_host_dataset>("qed.host.dataset/1");
    if (service == nullptr) throw Error("this host opens no data files", QED_UNSUPPORTED);
    std::vector<qed_str> names;
    for (const std::string_view column : columns) names.push_back(str(column));
    void* data = nullptr;
    const qed_strs list = {names.empty() ? nullptr : names.data(), names.size()};
    const std::int32_t status = service->open(service, call_, str(path), list, &data);
    if (status != QED_OK) {
      throw Error({call_->err->msg, static_cast<std::size_t>(call_->err->msg_len)}, status);
    }
    return {service, data};
  }

  // A service by id, or null.
  template <class Service>
  const Service* get(std::string_view id) const {
    return static_cast<const Service*>(host_->get_extension(host_, str(id)));
  }

 private:
  const qed_host* host_;
  qed_call* call_;
};

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
