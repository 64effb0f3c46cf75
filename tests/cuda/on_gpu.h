#pragma once

// Arrays in the memory of the GPU that this CPU plays: see host_gpu/library.cpp.

#include "core/cuda/cuda.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace qed::cuda {

struct PlayedGpu {
  KernelTable table = open_library(QED_BINARY_DIR "/tests/cuda/fake/libqed_cuda.so");
  void* stream = nullptr;

  PlayedGpu() { EXPECT_EQ(table.device.open(0, &stream), 0); }
};

// One per process, which is how often it may be opened.
inline const PlayedGpu& played_gpu() {
  static const PlayedGpu gpu;
  return gpu;
}

template <class T>
class OnGpu {
 public:
  explicit OnGpu(std::size_t size) : size_(size) {
    void* memory = nullptr;
    EXPECT_EQ(device().allocate(&memory, num_bytes()), 0);
    data_ = static_cast<T*>(memory);
  }
  OnGpu(const std::vector<T>& from) : OnGpu(from.size()) {
    EXPECT_EQ(device().upload(data_, from.data(), num_bytes(), played_gpu().stream), 0);
  }
  ~OnGpu() { EXPECT_EQ(device().release(data_), 0); }
  OnGpu(const OnGpu&) = delete;
  OnGpu& operator=(const OnGpu&) = delete;

  T* get() const { return data_; }
  std::vector<T> read() const {
    std::vector<T> to(size_);
    EXPECT_EQ(device().download(to.data(), data_, num_bytes(), played_gpu().stream), 0);
    return to;
  }

 private:
  static const DeviceCalls& device() { return played_gpu().table.device; }
  std::int64_t num_bytes() const { return static_cast<std::int64_t>(size_ * sizeof(T)); }

  T* data_ = nullptr;
  std::size_t size_;
};

}  // namespace qed::cuda
