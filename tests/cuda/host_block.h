#pragma once

// Runs bodies of the GPU's kernels on this CPU: see core/cuda/kernels/body.h.

#include "core/cuda/kernels/mma.h"

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace qed::cuda {

// Threads one after another, phase by phase.
struct HostBlock {
  template <class X>
  struct Own {
    std::vector<X> all = std::vector<X>(kThreads);
    X& operator()(int thread) { return all[static_cast<std::size_t>(thread)]; }
  };

  template <class Phase>
  void each(const Phase& phase) const {
    for (int thread = 0; thread < kThreads; ++thread) phase(thread);
  }

  template <class Phase>
  void each_alone(const Phase& phase) const {
    each(phase);
  }

  template <int kCount, class F>
  void multiply(const F& f) const {
    for (int first = 0; first < kThreads; first += kWarp) {
      for (int i = 0; i < kCount; ++i) {
        multiply_in_warp([&](int lane) { return f(first + lane, i); });
      }
    }
  }

 private:
  // What tensor cores do with the fragments of mma.h.
  template <class Lane>
  static void multiply_in_warp(const Lane& of_lane) {
    const auto half = [](std::uint32_t word, int i) {
      return from_bfloat16(static_cast<std::uint16_t>(i == 0 ? word : word >> 16));
    };
    float a[16][16], b[16][8];
    for (int lane = 0; lane < kWarp; ++lane) {
      const MmaStep p = of_lane(lane);
      const int g = lane / 4, j = lane % 4;
      for (int i = 0; i < 2; ++i) {
        for (int x = 0; x < 4; ++x) a[g + x % 2 * 8][2 * j + i + x / 2 * 8] = half(p.a.x[x], i);
        for (int x = 0; x < 2; ++x) b[2 * j + i + x * 8][g] = half(p.b.x[x], i);
      }
    }
    for (int lane = 0; lane < kWarp; ++lane) {
      FragmentC& c = *of_lane(lane).c;
      for (int x = 0; x < 4; ++x) {
        const int row = lane / 4 + x / 2 * 8, column = 2 * (lane % 4) + x % 2;
        for (int k = 0; k < 16; ++k) c.x[x] += a[row][k] * b[k][column];
      }
    }
  }
};

template <class Body>
void run_elements(const Body& body) {
  for (std::int64_t i = 0; i < body.size(); ++i) body(i);
}

// What a block finds in `shared` is not 0.
template <class Body>
void run_blocks(const Body& body, std::int64_t blocks) {
  std::vector<typename Body::Shared> shared(Body::kShared);
  for (std::int64_t i = 0; i < blocks; ++i) {
    std::memset(shared.data(), 0xff, shared.size() * sizeof shared[0]);
    body(HostBlock{}, i, shared.data());
  }
}

inline std::vector<float> random_floats(std::size_t n, unsigned seed, float scale = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> out(n);
  for (float& x : out) x = normal(engine);
  return out;
}

inline std::vector<Bfloat16> rounded(const std::vector<float>& x) {
  std::vector<Bfloat16> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) put(out[i], x[i]);
  return out;
}

inline std::vector<float> widened(const std::vector<Bfloat16>& x) {
  std::vector<float> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = to_float(x[i]);
  return out;
}

}  // namespace qed::cuda
