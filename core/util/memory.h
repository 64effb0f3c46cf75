#pragma once

// The machine's memory, and amounts of it as text.

#include <cstdint>
#include <string>

namespace qed {

// Bytes that this process can still use: what the system says is available, within the limit of the
// process's control group where it has one. A large number where neither is known.
std::int64_t available_memory_bytes();

// "1.98 GB", "640 MB", "12.3 kB", "96 B": three digits, powers of 1000.
std::string bytes_text(std::int64_t bytes);

}  // namespace qed
