#include "core/host/services.h"

#include "core/host/plugin_call.h"
#include "core/util/parallel.h"
#include "qed/version.h"

#include <algorithm>
#include <cstdio>

namespace qed {
namespace {

void log_line(const qed_host*, std::int32_t severity, qed_str message) {
  static constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
  if (severity < 1) return;
  const std::string line =
      cat("[plugin] ", kNames[std::min(severity, 3)], ": ", to_utf8(from_abi(message)), "\n");
  std::fputs(line.c_str(), stderr);
}

std::uint64_t count_threads(const qed_host_threads*) {
  return static_cast<std::uint64_t>(num_threads());
}

void run_parallel(const qed_host_threads*, std::uint64_t n, void (*body)(void*, std::uint64_t),
                  void* context) {
  parallel_for(static_cast<std::int64_t>(n), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(context, static_cast<std::uint64_t>(i));
  });
}

}  // namespace

HostServices::HostServices()
    : host_{.size = sizeof(qed_host),
            .epoch = QED_EPOCH,
            .level = QED_LEVEL,
            .min_level = kMinLevel,
            .name = to_abi("qed"),
            .version = to_abi(QED_VERSION),
            .host = this,
            .log = &log_line,
            .get_extension = &get} {
  add(kThreadsService, threads_service());
}

const void* HostServices::get(const qed_host* self, qed_str id) {
  const auto& services = static_cast<const HostServices*>(self->host)->services_;
  const auto found = services.find(from_abi(id));
  return found == services.end() ? nullptr : found->second;
}

const qed_host_threads* threads_service() {
  static const qed_host_threads kService = {sizeof(qed_host_threads), 0, &count_threads,
                                            &run_parallel};
  return &kService;
}

}  // namespace qed
