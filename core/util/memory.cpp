#include "core/util/memory.h"

#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace qed {

namespace {

constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::max() / 4;

// The number that a file consists of; none when it is "max" or there is no such file.
std::optional<std::int64_t> number_in(const char* path) {
  std::ifstream file(path);
  std::int64_t value;
  if (file >> value) return value;
  return {};
}

// The number after a word in a file of words and numbers.
std::optional<std::int64_t> number_after(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    std::int64_t value;
    if (word == key && file >> value) return value;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return {};
}

}  // namespace

std::int64_t available_memory_bytes() {
  const auto kilobytes = number_after("/proc/meminfo", "MemAvailable:");
  std::int64_t available = kilobytes ? *kilobytes * 1024 : kUnknown;
  const auto limit = number_in("/sys/fs/cgroup/memory.max");
  const auto used = number_in("/sys/fs/cgroup/memory.current");
  if (limit && used) {
    // Pages of files that nobody reads now are given up for others.
    const auto idle = number_after("/sys/fs/cgroup/memory.stat", "inactive_file");
    available = std::min(available, std::max<std::int64_t>(0, *limit - *used + idle.value_or(0)));
  }
  return available;
}

std::int64_t memory_used_bytes() {
  return number_after("/proc/self/status", "VmRSS:").value_or(0) * 1024;
}

void keep_freed_memory() {
  ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest that glibc allows
}

}  // namespace qed
