#pragma once

// Where tensors live and ops run: the CPU, or one GPU for the whole process.
//
// A GPU is a table of kernels (core/cuda/kernel_table.h) and memory that only these kernels touch.
// Its tensors are those of LibTorch in shape, type and autograd graph, but their data is the GPU's:
// an op of LibTorch that reads or writes it would crash, and none may. Views are fine.

#include "core/cuda/kernel_table.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace qed::ops {

class Device {
 public:
  // Opens the driver's GPU of this number. `is_exact`: a row's forward depends on that row alone,
  // to the bit, as on the CPU; slower. Throws Error.
  Device(const cuda::KernelTable& table, std::int32_t gpu, std::string name, bool is_exact);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const cuda::KernelTable& table() const { return table_; }
  const std::string& name() const { return name_; }  // "NVIDIA H200"
  bool is_exact() const { return is_exact_; }

  // Queues a kernel. Throws Error when that fails. [any]
  template <class Args>
  void run(cuda::Kernel<Args> kernel, const Args& args) {
    check(kernel(args, stream_));
  }

  // New memory, whatever it holds; it goes back to this device's pool with the tensor. Throws Error
  // with the numbers when there is none. [any]
  at::Tensor empty(at::IntArrayRef sizes, at::ScalarType type);
  at::Tensor zeros(at::IntArrayRef sizes, at::ScalarType type);
  at::Tensor clone(const at::Tensor& x);

  // To and from the host. `x` contiguous; `from` and `to` as many bytes. [any]
  void write(const at::Tensor& x, const void* from);
  void read(const at::Tensor& x, void* to);
  void copy(const at::Tensor& to, const at::Tensor& from);
  void clear(const at::Tensor& x);
  template <class T>
  at::Tensor upload(std::span<const T> values, at::ScalarType type) {
    const at::Tensor x = empty({static_cast<std::int64_t>(values.size())}, type);
    write(x, values.data());
    return x;
  }
  at::Tensor upload(const at::Tensor& host);        // the same numbers
  at::Tensor download(const at::Tensor& x);         // likewise, on the host
  at::Tensor upload_int32(const at::Tensor& host);  // of int64, each of which fits

  // Bytes that can still be had, those that the pool holds included.
  std::int64_t free_bytes();

 private:
  void check(std::int32_t error) const;
  void* take(std::int64_t bytes);
  void release_pool();

  cuda::KernelTable table_;
  std::string name_;
  bool is_exact_;
  void* stream_ = nullptr;
  std::mutex mutex_;
  std::multimap<std::int64_t, void*> pool_;  // memory that is free, by its size
  std::int64_t pool_bytes_ = 0;
};

// The GPU of this process; null: it computes on the CPU.
Device* device();
// Before the first model is made; null goes back to the CPU, for tests. The device lives for ever.
void set_device(Device* device);

// A copy, where tensors live. No gradient.
at::Tensor clone(const at::Tensor& x);

// Bytes that can still be had where tensors live.
std::int64_t available_bytes();

}  // namespace qed::ops
