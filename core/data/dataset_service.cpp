#include "core/data/dataset_service.h"

#include "core/data/dataset.h"
#include "core/host/service_call.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qed {
namespace {

using Handle = std::shared_ptr<const Dataset>;

const Dataset& dataset(const void* data) { return **static_cast<const Handle*>(data); }

void append(qed_writer* out, std::string_view bytes) {
  if (out->append(out, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) != 0) {
    throw Error("the writer takes no more output");
  }
}

std::int32_t open(const qed_host_dataset*, qed_call* call, qed_str path, qed_strs columns,
                  void** data) noexcept {
  return serve(call, QED_DATA, [&] {
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
  return serve(call, QED_DATA, [&] { *n = dataset(data).count(); });
}

std::int32_t row(const qed_host_dataset*, qed_call* call, const void* data, std::uint64_t index,
                 qed_writer* json) noexcept {
  return serve(call, QED_DATA, [&] {
    thread_local std::string text;  // kept for its memory
    text.clear();
    dataset(data).row(index, text);
    append(json, text);
  });
}

std::int32_t place(const qed_host_dataset*, qed_call* call, const void* data, std::uint64_t index,
                   qed_writer* out) noexcept {
  return serve(call, QED_DATA, [&] { append(out, dataset(data).place(index)); });
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
