#pragma once

// A CUDA runtime for tests, that does work as late as it may: when somebody waits for it. "Device"
// memory is the host's.

#include <cstddef>

namespace qed::cuda::fake {

extern std::size_t memory_left;  // what cudaMalloc still gives
extern int copies_done;          // of all streams
extern int pageable_uploads;     // copies to the device from memory that is not pinned
extern thread_local int device;  // the calling thread's

}  // namespace qed::cuda::fake
