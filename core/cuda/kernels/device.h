#pragma once

// DeviceCalls of kernel_table.h, and which GPU is meant.

#include "core/cuda/kernel_table.h"

namespace qed::cuda {

DeviceCalls device_calls();

// Makes the GPU that `open` named the calling thread's: the runtime keeps one for each thread.
// Before `open` it is the runtime's own choice. Returns a cudaError_t. [any]
std::int32_t enter_device();

}  // namespace qed::cuda
