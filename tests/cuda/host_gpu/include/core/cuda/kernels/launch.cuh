#pragma once

// Stands in for the launch.cuh of the GPU where its .cu files are compiled for this CPU: a body
// runs at once, to its end. Elements, blocks and the threads of a phase come one after another, or,
// with FAKE_GPU_ORDER=reverse, the last one first: on a GPU any may be the first, so no bit may
// differ.

#include "core/cuda/kernels/device.h"
#include "tests/cuda/host_block.h"

#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace qed::cuda {

inline bool is_reverse() {
  const char* const order = std::getenv("FAKE_GPU_ORDER");
  return order != nullptr && std::string_view(order) == "reverse";
}

template <class F>
void in_order(bool is_reverse, std::int64_t count, const F& f) {
  if (is_reverse) {
    for (std::int64_t i = count - 1; i >= 0; --i) f(i);
  } else {
    for (std::int64_t i = 0; i < count; ++i) f(i);
  }
}

enum CudaError : std::int32_t { cudaSuccess = 0, cudaErrorInvalidValue = 1 };

struct PlayedBlock : HostBlock {
  bool is_reverse;

  template <class Phase>
  void each(const Phase& phase) const {
    in_order(is_reverse, kThreads, [&](std::int64_t thread) { phase(static_cast<int>(thread)); });
  }
  template <class Phase>
  void each_alone(const Phase& phase) const {
    each(phase);
  }
};

inline bool has_mma() { return true; }

template <class Body>
std::int32_t launch_elements(const Body& body, void*) {
  in_order(is_reverse(), body.size(), body);
  return 0;
}

// What a block finds in `shared` is not 0.
template <class Body>
std::int32_t launch_blocks(const Body& body, std::int64_t blocks, void*) {
  std::vector<typename Body::Shared> shared(Body::kShared);
  const PlayedBlock block{{}, is_reverse()};
  in_order(block.is_reverse, blocks, [&](std::int64_t number) {
    std::memset(shared.data(), 0xff, shared.size() * sizeof shared[0]);
    body(block, number, shared.data());
  });
  return 0;
}

struct DeviceQueue {
  void* stream;

  template <class Body>
  std::int32_t elements(const Body& body) const {
    return launch_elements(body, stream);
  }
  template <class Body>
  std::int32_t blocks(const Body& body, std::int64_t count) const {
    return launch_blocks(body, count, stream);
  }
};

}  // namespace qed::cuda
