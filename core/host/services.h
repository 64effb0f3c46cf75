#pragma once

// The host as plugins see it, and the services that need nothing above this layer.

#include "qed/abi.h"

#include <functional>
#include <map>
#include <string>

namespace qed {

inline constexpr char kThreadsService[] = "qed.host.threads/1";
inline constexpr std::uint32_t kMinLevel = 1;  // the oldest level that this host loads

// qed_host with its log and its table of services. Not moved: plugins keep its address.
class HostServices {
 public:
  HostServices();
  HostServices(const HostServices&) = delete;
  HostServices& operator=(const HostServices&) = delete;

  const qed_host* abi() const { return &host_; }
  // `service` is static, or outlives every plugin. Replaces one of the same id. Before the
  // component that uses it is created. [main]
  void add(const std::string& id, const void* service) { services_[id] = service; }

 private:
  static const void* get(const qed_host* self, qed_str id);

  std::map<std::string, const void*, std::less<>> services_;
  qed_host host_;
};

// kThreadsService on the pool of core/util/parallel.h. The pool is that of the binary whose code
// calls this function: the engine adds its own.
const qed_host_threads* threads_service();

}  // namespace qed
