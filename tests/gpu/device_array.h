#pragma once

// Arrays on the GPU, for tests and benchmarks. A failure throws Error with the runtime's words.

#include "core/util/error.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace qed::cuda {

// The library in ../lib of the program.
inline std::filesystem::path library_of_program() {
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  return program.parent_path().parent_path() / "lib/libqed_cuda.so";
}

inline void check(int status) {
  if (status == cudaSuccess) return;
  throw Error(cat("CUDA: ", cudaGetErrorString(static_cast<cudaError_t>(status))));
}

template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t size) : size_(size) {
    check(cudaMalloc(reinterpret_cast<void**>(&data_), (size + 1) * sizeof(T)));
  }
  DeviceArray(const std::vector<T>& from) : DeviceArray(from.size()) {
    check(cudaMemcpy(data_, from.data(), size_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* get() const { return data_; }
  void clear() { check(cudaMemset(data_, 0, size_ * sizeof(T))); }
  // Waits for all that is queued.
  std::vector<T> read() const {
    std::vector<T> to(size_);
    check(cudaMemcpy(to.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost));
    return to;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

// Memory that the CPU and the GPU both see, so that one struct of arguments serves both.
template <class T>
class Managed {
 public:
  explicit Managed(const std::vector<T>& from) : size_(from.size()) {
    check(cudaMallocManaged(reinterpret_cast<void**>(&data_), (size_ + 1) * sizeof(T)));
    write(from);
  }
  ~Managed() { cudaFree(data_); }
  Managed(const Managed&) = delete;
  Managed& operator=(const Managed&) = delete;

  T* get() const { return data_; }
  // Both wait for all that is queued.
  void write(const std::vector<T>& from) {
    check(cudaDeviceSynchronize());
    std::copy(from.begin(), from.end(), data_);
  }
  std::vector<T> read() const {
    check(cudaDeviceSynchronize());
    return {data_, data_ + size_};
  }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

}  // namespace qed::cuda
