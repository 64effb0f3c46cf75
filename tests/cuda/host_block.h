#pragma once

// Runs bodies of the GPU's kernels on this CPU: see core/cuda/kernels/body.h.

#include "core/cuda/kernels/body.h"

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace qed::cuda {

// Threads one after another, phase by phase.
struct HostBlock {
  template <class Phase>
  void each(const Phase& phase) const {
    for (int thread = 0; thread < kThreads; ++thread) phase(thread);
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
