#pragma once

// Products through cuBLASLt, NVIDIA's library, which is opened where it is found: it is as large as
// everything else together, and LibTorch's wheels bring it. Without it the plain kernel does all.

#include "core/cuda/gemm_args.h"

#include <cstdint>
#include <optional>

namespace qed::cuda {

// 130100 is 13.1.0; 0 where there is none that works. The first call opens it, and takes the memory
// that it needs (32 MiB) on the thread's GPU. [any]
std::int32_t cublaslt_version();

// Queues the product, without its bias. Nothing where the plain kernel has to: no library, no
// depth, or no algorithm for this shape; else 0 or an error (error_text). Calls on two streams must
// not overlap: they share the library's scratch. [any]
std::optional<std::int32_t> cublaslt_gemm(const GemmArgs& args, void* stream);

// The words for kCublasError + a status.
inline constexpr std::int32_t kCublasError = 10'000;
const char* cublaslt_error_text(std::int32_t error);

}  // namespace qed::cuda
