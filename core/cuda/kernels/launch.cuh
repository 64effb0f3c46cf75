#pragma once

// Bodies as kernels. Each function queues one and returns a cudaError_t.

#include "core/cuda/kernels/device.h"
#include "core/cuda/kernels/mma.h"

#include <cuda_runtime.h>

namespace qed::cuda {

inline constexpr int kSharedUnasked = 48 << 10;  // bytes that any kernel may have

// A block of the GPU; see body.h.
struct DeviceBlock {
  template <class X>
  struct Own {
    X x{};
    __device__ X& operator()(int) { return x; }
  };

  template <class Phase>
  __device__ void each(const Phase& phase) const {
    phase(static_cast<int>(threadIdx.x));
    __syncthreads();
  }

  template <class Phase>
  __device__ void each_alone(const Phase& phase) const {
    phase(static_cast<int>(threadIdx.x));
  }

  // See mma.h.
  template <int kCount, class F>
  __device__ void multiply(const F& f) const {
    __syncwarp();
    QED_UNROLL
    for (int i = 0; i < kCount; ++i) {
      const MmaStep p = f(static_cast<int>(threadIdx.x), i);
      multiply(*p.c, p.a, p.b);
    }
  }

 private:
  __device__ static void multiply(FragmentC& c, const FragmentA& a, const FragmentB& b) {
#if __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c.x[0]), "+f"(c.x[1]), "+f"(c.x[2]), "+f"(c.x[3])
        : "r"(a.x[0]), "r"(a.x[1]), "r"(a.x[2]), "r"(a.x[3]), "r"(b.x[0]), "r"(b.x[1]));
#else
    __trap();  // older GPUs have no such product, and has_mma() says so
#endif
  }
};

// Whether the GPU in use has the products of mma.h.
inline bool has_mma() {
  int gpu = 0, major = 0;
  return enter_device() == cudaSuccess && cudaGetDevice(&gpu) == cudaSuccess &&
         cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, gpu) == cudaSuccess &&
         major >= 8;
}

template <class Body>
__global__ void __launch_bounds__(kThreads) element_kernel(Body body, std::int64_t n) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i < n) body(i);
}

// Blocks that a multiprocessor must have room for: Body::kBlocksTogether, or 1.
template <class Body>
constexpr int blocks_together() {
  if constexpr (requires { Body::kBlocksTogether; }) return Body::kBlocksTogether;
  return 1;
}

template <class Body>
__global__ void __launch_bounds__(kThreads, blocks_together<Body>()) block_kernel(Body body) {
  extern __shared__ __align__(16) unsigned char shared[];
  body(DeviceBlock{}, static_cast<std::int64_t>(blockIdx.x),
       reinterpret_cast<typename Body::Shared*>(shared));
}

template <class Body>
std::int32_t launch_elements(const Body& body, void* stream) {
  const std::int64_t n = body.size();
  if (n == 0) return cudaSuccess;
  if (const std::int32_t error = enter_device(); error != 0) return error;
  const auto blocks = static_cast<unsigned>((n + kThreads - 1) / kThreads);
  element_kernel<<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(body, n);
  return cudaGetLastError();
}

template <class Body>
std::int32_t launch_blocks(const Body& body, std::int64_t blocks, void* stream) {
  if (blocks == 0) return cudaSuccess;
  if (const std::int32_t error = enter_device(); error != 0) return error;
  constexpr int bytes = static_cast<int>(Body::kShared * sizeof(typename Body::Shared));
  if constexpr (bytes > kSharedUnasked) {
    const cudaError_t error = cudaFuncSetAttribute(
        block_kernel<Body>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    if (error != cudaSuccess) return cudaGetLastError();
  }
  block_kernel<<<static_cast<unsigned>(blocks), kThreads, bytes,
                 static_cast<cudaStream_t>(stream)>>>(body);
  return cudaGetLastError();
}

}  // namespace qed::cuda
