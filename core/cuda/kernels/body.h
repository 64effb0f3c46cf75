#pragma once

// How the bodies of kernels are written, so that the same code runs on the GPU and, in tests, on
// the CPU. A body is a function object: over elements, f(i); or over blocks of threads, where
// f(block, number, shared) is a list of phases, and block.each(phase) calls phase(thread) for each
// thread and waits for all of them; each_alone() does not wait. What a thread keeps from phase to
// phase is in `shared`, or in a Block::Own<X> own, 0 at first: own(thread) is an X that no other
// thread sees, in registers.

#include "core/cuda/kernel_args.h"
#include "core/util/half.h"

#include <cstdint>

#ifdef __CUDACC__
#define QED_DEVICE __device__
#define QED_HOST_DEVICE __host__ __device__
#define QED_UNROLL _Pragma("unroll")  // a loop over what is in registers
#else
#define QED_DEVICE
#define QED_HOST_DEVICE
#define QED_UNROLL
#endif

namespace qed::cuda {

inline constexpr int kThreads = 256;  // of a block
inline constexpr int kWarpSize = 32;  // threads that the GPU runs in step

// A bfloat16 in memory.
struct Bfloat16 {
  std::uint16_t bits;
};

// What a thread reads of shared memory at a time.
struct alignas(16) Four {
  float x[4];
};

QED_DEVICE inline float to_float(float x) { return x; }
QED_DEVICE inline float to_float(Bfloat16 x) { return from_bfloat16(x.bits); }
QED_DEVICE inline void put(float& to, float x) { to = x; }
QED_DEVICE inline void put(Bfloat16& to, float x) { to.bits = to_bfloat16(x); }

// Adds to, or takes away, what other threads may be adding to or taking at the same time.
QED_DEVICE inline void add_atomic(std::int32_t* to, std::int32_t x) {
#ifdef __CUDA_ARCH__
  atomicAdd(to, x);
#else
  *to += x;
#endif
}
QED_DEVICE inline std::int32_t take_atomic(std::int32_t* from) {
#ifdef __CUDA_ARCH__
  return atomicExch(from, 0);
#else
  const std::int32_t x = *from;
  *from = 0;
  return x;
#endif
}

// For each warp w, shared[w * kWarpSize] = the sum of its kWarpSize numbers, in a fixed tree. The
// others are lost.
template <class Block, class Number>
QED_DEVICE void add_warps(const Block& block, Number* shared) {
  block.each([=](int thread) {
#ifdef __CUDA_ARCH__
    Number x = shared[thread];
    for (int half = kWarpSize / 2; half > 0; half /= 2) x += __shfl_down_sync(~0u, x, half);
    if (thread % kWarpSize == 0) shared[thread] = x;
#else
    if (thread % kWarpSize != 0) return;
    for (int half = kWarpSize / 2; half > 0; half /= 2) {
      for (int i = thread; i < thread + half; ++i) shared[i] += shared[i + half];
    }
#endif
  });
}

// shared[0] = the sum of shared[0 .. kThreads), in a fixed tree. The others are lost.
template <class Block, class Number>
QED_DEVICE void add_up(const Block& block, Number* shared) {
  for (int half = kThreads / 2; half >= kWarpSize; half /= 2) {
    block.each([=](int thread) {
      if (thread < half) shared[thread] += shared[thread + half];
    });
  }
  add_warps(block, shared);
}

}  // namespace qed::cuda
