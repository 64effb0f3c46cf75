#pragma once

// The service "qed.host.sandbox/1" of qed/abi.h: programs with limits for plugins.

#include "core/sandbox/client.h"
#include "qed/abi.h"

#include <string>
#include <vector>

namespace qed {

inline constexpr char kSandboxService[] = "qed.host.sandbox/1";

// Must outlive the plugins that use it. [any]
class SandboxService {
 public:
  // `command` starts the helper process: `qed plugin sandbox`.
  explicit SandboxService(std::vector<std::string> command);
  SandboxService(const SandboxService&) = delete;
  SandboxService& operator=(const SandboxService&) = delete;

  const qed_host_sandbox* abi() const { return &table_.abi; }

 private:
  struct Table {
    qed_host_sandbox abi;  // first: `self` of its functions points here
    sandbox::Client* client;
  };
  static std::int32_t check(const qed_host_sandbox* self, qed_call* call) noexcept;
  static std::int32_t submit(const qed_host_sandbox* self, qed_call* call,
                             const qed_sandbox_job* job, std::uint64_t* ticket) noexcept;
  static std::int32_t poll(const qed_host_sandbox* self, qed_call* call, std::uint64_t ticket,
                           std::uint64_t wait_ms, qed_sandbox_run* build,
                           qed_sandbox_run* const* runs, std::uint64_t n) noexcept;
  static void drop(const qed_host_sandbox* self, std::uint64_t ticket) noexcept;
  static sandbox::Client& client(const qed_host_sandbox* self) {
    return *reinterpret_cast<const Table*>(self)->client;
  }

  sandbox::Client client_;
  Table table_;
};

// The service of this process, whose helper is this program again. Never destroyed. For a program
// that is not `qed`, nothing.
const qed_host_sandbox* sandbox_service();

}  // namespace qed
