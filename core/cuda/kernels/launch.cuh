#pragma once

// Bodies as kernels. Each function queues one and returns a cudaError_t.

#include "core/cuda/kernels/body.h"

#include <cuda_runtime.h>

namespace qed::cuda {

// A block of the GPU; see body.h.
struct DeviceBlock {
  template <class Phase>
  __device__ void each(const Phase& phase) const {
    phase(static_cast<int>(threadIdx.x));
    __syncthreads();
  }
};

template <class Body>
__global__ void __launch_bounds__(kThreads) element_kernel(Body body, std::int64_t n) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i < n) body(i);
}

template <class Body>
__global__ void __launch_bounds__(kThreads) block_kernel(Body body) {
  __shared__ typename Body::Shared shared[Body::kShared];
  body(DeviceBlock{}, static_cast<std::int64_t>(blockIdx.x), shared);
}

template <class Body>
std::int32_t launch_elements(const Body& body, void* stream) {
  const std::int64_t n = body.size();
  if (n == 0) return cudaSuccess;
  const auto blocks = static_cast<unsigned>((n + kThreads - 1) / kThreads);
  element_kernel<<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(body, n);
  return cudaGetLastError();
}

template <class Body>
std::int32_t launch_blocks(const Body& body, std::int64_t blocks, void* stream) {
  if (blocks == 0) return cudaSuccess;
  block_kernel<<<static_cast<unsigned>(blocks), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      body);
  return cudaGetLastError();
}

}  // namespace qed::cuda
