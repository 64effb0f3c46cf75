#include "core/cuda/kernels/device.h"

#include "core/cuda/kernels/cublaslt.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

namespace qed::cuda {

namespace {

constexpr int kNoGpu = -1;
std::atomic<int> opened_gpu = kNoGpu;

// The runtime also keeps an error until somebody asks: the next launch would report it as its own.
std::int32_t told(cudaError_t error) {
  if (error != cudaSuccess) cudaGetLastError();
  return error;
}

cudaError_t entered() { return static_cast<cudaError_t>(enter_device()); }

cudaStream_t queue(void* stream) { return static_cast<cudaStream_t>(stream); }

std::size_t size(std::int64_t bytes) { return static_cast<std::size_t>(bytes); }

// Pinned memory that uploads go through: of a copy from pageable memory CUDA does not promise that
// it has been read when the call returns, nor that the call does not wait for the queue. Two halves
// take turns; the host waits only for copies that lie a whole half back.
class Staging {
 public:
  cudaError_t upload(char* to, const char* host, std::size_t bytes, cudaStream_t stream) {
    const std::lock_guard lock(mutex_);
    cudaError_t error = begin(stream);
    while (error == cudaSuccess && bytes > 0) {
      if (used_ == kHalf) error = turn();
      if (error != cudaSuccess) break;
      const std::size_t part = std::min(bytes, kHalf - used_);
      char* const from = memory_ + (half_ == 0 ? 0 : kHalf) + used_;
      std::memcpy(from, host, part);
      error = cudaMemcpyAsync(to, from, part, cudaMemcpyHostToDevice, stream);
      used_ = std::min(kHalf, (used_ + part + kAlign - 1) / kAlign * kAlign);
      to += part, host += part, bytes -= part;
    }
    return error;
  }

 private:
  static constexpr std::size_t kHalf = 4u << 20, kAlign = 64;

  // The events tell of one stream only: another one may begin when the last has finished.
  cudaError_t begin(cudaStream_t stream) {
    if (memory_ == nullptr) {
      for (cudaEvent_t& event : left_) {
        if (event != nullptr) continue;
        const cudaError_t error = cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
        if (error != cudaSuccess) return error;
      }
      stream_ = stream;
      return cudaHostAlloc(reinterpret_cast<void**>(&memory_), 2 * kHalf, cudaHostAllocDefault);
    }
    if (stream == stream_) return cudaSuccess;
    const cudaError_t error = cudaStreamSynchronize(stream_);
    stream_ = stream;
    return error;
  }

  // Goes on in the other half, when all copies have left it.
  cudaError_t turn() {
    const cudaError_t error = cudaEventRecord(left_[half_], stream_);
    half_ = 1 - half_;
    used_ = 0;
    return error != cudaSuccess ? error : cudaEventSynchronize(left_[half_]);
  }

  std::mutex mutex_;
  char* memory_ = nullptr;
  cudaEvent_t left_[2] = {};
  cudaStream_t stream_ = nullptr;
  int half_ = 0;
  std::size_t used_ = 0;
};

// Lives to the end of the process, whose last moments CUDA may not see.
Staging& staging() {
  static auto* const staging = new Staging;
  return *staging;
}

std::int32_t open(std::int32_t gpu, void** stream) {
  opened_gpu = gpu;
  cudaError_t error = entered();
  cudaStream_t made = nullptr;
  if (error == cudaSuccess) error = cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking);
  *stream = made;
  // It takes memory, which must be gone before anybody asks how much there is.
  if (error == cudaSuccess) cublaslt_version();
  return told(error);
}

std::int32_t allocate(void** memory, std::int64_t bytes) {
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  const cudaError_t error = entered();
  return told(error != cudaSuccess ? error : cudaMalloc(memory, size(bytes)));
}

std::int32_t release(void* memory) {
  const cudaError_t error = entered();
  return told(error != cudaSuccess ? error : cudaFree(memory));
}

std::int32_t upload(void* to, const void* host, std::int64_t bytes, void* stream) {
  const cudaError_t error = entered();
  return told(error != cudaSuccess
                  ? error
                  : staging().upload(static_cast<char*>(to), static_cast<const char*>(host),
                                     size(bytes), queue(stream)));
}

std::int32_t download(void* host, const void* from, std::int64_t bytes, void* stream) {
  cudaError_t error = entered();
  if (error == cudaSuccess && bytes > 0) {
    error = cudaMemcpyAsync(host, from, size(bytes), cudaMemcpyDeviceToHost, queue(stream));
  }
  return told(error != cudaSuccess ? error : cudaStreamSynchronize(queue(stream)));
}

std::int32_t copy(void* to, const void* from, std::int64_t bytes, void* stream) {
  const cudaError_t error = entered();
  if (error != cudaSuccess || bytes == 0) return told(error);
  return told(cudaMemcpyAsync(to, from, size(bytes), cudaMemcpyDeviceToDevice, queue(stream)));
}

std::int32_t clear(void* to, std::int64_t bytes, void* stream) {
  const cudaError_t error = entered();
  if (error != cudaSuccess || bytes == 0) return told(error);
  return told(cudaMemsetAsync(to, 0, size(bytes), queue(stream)));
}

std::int32_t wait(void* stream) {
  const cudaError_t error = entered();
  return told(error != cudaSuccess ? error : cudaStreamSynchronize(queue(stream)));
}

std::int32_t memory(std::int64_t* free, std::int64_t* total) {
  std::size_t free_bytes = 0, total_bytes = 0;
  cudaError_t error = entered();
  if (error == cudaSuccess) error = cudaMemGetInfo(&free_bytes, &total_bytes);
  *free = static_cast<std::int64_t>(free_bytes);
  *total = static_cast<std::int64_t>(total_bytes);
  return told(error);
}

const char* error_text(std::int32_t error) {
  return error >= kCublasError ? cublaslt_error_text(error)
                               : cudaGetErrorString(static_cast<cudaError_t>(error));
}

}  // namespace

DeviceCalls device_calls() {
  return {open, allocate, release, upload, download, copy, clear, wait, memory, error_text};
}

std::int32_t enter_device() {
  thread_local int entered_gpu = kNoGpu;
  const int gpu = opened_gpu;
  if (gpu == entered_gpu) return cudaSuccess;
  const cudaError_t error = cudaSetDevice(gpu);
  if (error == cudaSuccess) entered_gpu = gpu;
  return error;
}

}  // namespace qed::cuda
