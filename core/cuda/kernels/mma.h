#pragma once

// Products on tensor cores. block.multiply<count>(f) does, for i = 0 .. count-1, C += A B in each
// warp, where f(thread, i) is what the thread holds of them: A [16][16] and B [16][8] bfloat16, C
// [16][8] float32, spread over lanes as PTX's mma.m16n8k16 has it. Lane 4 g + j holds
//   A: x[0] row g, columns 2 j and 2 j + 1; x[1] row g + 8; x[2], x[3] the same 8 columns further
//   B: x[0] rows 2 j and 2 j + 1 of column g; x[1] the same 8 rows further
//   C: x[0], x[1] row g, columns 2 j and 2 j + 1; x[2], x[3] row g + 8
// with the lower column or row of A or B in the lower half of a word. Which rows of A and columns
// of B a product has is the caller's choice; so is the order of what is added up, if A and B agree.

#include "core/cuda/kernels/body.h"

namespace qed::cuda {

inline constexpr int kWarp = 32, kWarps = kThreads / kWarp;

struct FragmentA {
  std::uint32_t x[4];
};
struct FragmentB {
  std::uint32_t x[2];
};
struct FragmentC {
  float x[4];
};

struct MmaStep {
  FragmentC* c;
  FragmentA a;
  FragmentB b;
};

QED_DEVICE inline std::uint32_t lower_halves(std::uint32_t x, std::uint32_t y) {
  return (x & 0xffffu) | y << 16;
}
QED_DEVICE inline std::uint32_t upper_halves(std::uint32_t x, std::uint32_t y) {
  return x >> 16 | (y & 0xffff0000u);
}
QED_DEVICE inline std::uint32_t rounded_pair(float x, float y) {
  return lower_halves(to_bfloat16(x), to_bfloat16(y));
}

// Two neighbours in memory.
QED_DEVICE inline std::uint32_t pair_at(const Bfloat16* at) {
  return *reinterpret_cast<const std::uint32_t*>(at);
}

}  // namespace qed::cuda
