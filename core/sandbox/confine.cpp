#include "core/sandbox/confine.h"

#include "core/util/error.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace qed::sandbox {
namespace {

[[noreturn]] void fail(const char* what) { throw Error(cat(what, ": ", std::strerror(errno))); }

// linux/landlock.h as of ABI 6; the headers of older systems stop before.
struct Ruleset {
  std::uint64_t files, network, scopes;
};
constexpr std::uint64_t kExecute = 1u << 0, kWriteFile = 1u << 1, kReadFile = 1u << 2,
                        kReadFolder = 1u << 3, kTruncate = 1u << 14, kDeviceControl = 1u << 15;
constexpr std::uint64_t kNetwork = 3;  // bind, connect
constexpr std::uint64_t kScopes = 3;   // abstract sockets, signals

// All rights that a kernel of this ABI knows.
std::uint64_t all_rights(long abi) {
  const int num_rights = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
  return (std::uint64_t{1} << num_rights) - 1;
}

// `rights` below a path; a path that is not there needs none.
void allow(int rules, const char* path, std::uint64_t rights) {
  const int folder = ::open(path, O_PATH | O_CLOEXEC);
  if (folder < 0) return;
  landlock_path_beneath_attr beneath = {};
  beneath.allowed_access = rights;
  beneath.parent_fd = folder;
  const long error =
      ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
  ::close(folder);
  if (error != 0) fail("no Landlock rule");
}

void set_limit(int resource, std::uint64_t soft, std::uint64_t hard) {
  // A limit cannot be raised above what the process came with.
  rlimit now{};
  ::getrlimit(static_cast<__rlimit_resource_t>(resource), &now);
  const rlimit limit = {std::min<rlim_t>(soft, now.rlim_max), std::min<rlim_t>(hard, now.rlim_max)};
  if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) fail("no limit");
}
void set_limit(int resource, std::uint64_t value) { set_limit(resource, value, value); }

}  // namespace

void restrict_files(const char* folder) {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return;
  const std::uint64_t all = all_rights(abi);
  const Ruleset ruleset = {all, abi >= 4 ? kNetwork : 0, abi >= 6 ? kScopes : 0};
  const std::size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;  // older kernels know less of it
  const auto rules = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &ruleset, size, 0));
  if (rules < 0) fail("no Landlock rules");
  allow(rules, "/", (kExecute | kReadFile | kReadFolder) & all);
  allow(rules, folder, all);
  allow(rules, "/dev", (kReadFile | kReadFolder | kWriteFile | kTruncate | kDeviceControl) & all);
  const long error = ::syscall(SYS_landlock_restrict_self, rules, 0);
  if (error != 0) fail("no Landlock domain");
  ::close(rules);
}

void set_limits(const Limits& limits) {
  constexpr std::uint64_t kRoom = 128 << 20;  // so that memory itself ends a run, not its addresses
  constexpr std::uint64_t kStack = 64 << 20;
  const std::uint64_t cpu_s = limits.cpu_ms / 1000 + 1;
  set_limit(RLIMIT_CPU, cpu_s, cpu_s + 1);
  set_limit(RLIMIT_AS, limits.memory_bytes + kRoom);
  set_limit(RLIMIT_STACK, std::min(limits.memory_bytes, kStack));
  set_limit(RLIMIT_FSIZE, limits.disk_bytes);
  set_limit(RLIMIT_NPROC, limits.processes + 1);  // one is the run's first
  set_limit(RLIMIT_NOFILE, 64);
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_MSGQUEUE, 0);
  set_limit(RLIMIT_MEMLOCK, 0);
}

void drop_capabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (::syscall(SYS_capset, &header, none) != 0) fail("capabilities stay");
}

}  // namespace qed::sandbox
