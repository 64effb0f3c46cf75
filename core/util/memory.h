#pragma once

// The machine's memory.

#include <cstdint>

namespace qed {

// Bytes that this process can still use: what the system says is available, within the limit of the
// process's control group where it has one. A large number where neither is known.
std::int64_t available_memory_bytes();

// Bytes of this process that are in memory now; 0 where the system does not say.
std::int64_t memory_used_bytes();

// Lets the process keep up to 256 MB that it has freed, and give back larger buffers only: what a
// step frees, the next one asks for again, and each new page costs a fault.
void keep_freed_memory();

}  // namespace qed
