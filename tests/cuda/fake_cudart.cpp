#include "tests/cuda/fake_cudart.h"

#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

// The runtime's own names for what its handles point to.
struct CUstream_st {
  std::vector<std::function<void()>> work;
  std::size_t done = 0;

  void run(std::size_t end) {
    for (; done < end; ++done) work[done]();
  }
};
struct CUevent_st {
  cudaStream_t stream = nullptr;
  std::size_t end = 0;  // of the stream's work
};

namespace qed::cuda::fake {

std::size_t memory_left = std::size_t{1} << 30;
int copies_done = 0;
int pageable_uploads = 0;
thread_local int device = 0;

namespace {

cudaError_t last_error = cudaSuccess;
char* pinned = nullptr;
std::size_t pinned_bytes = 0;

bool is_pinned(const void* at) {
  const auto* const byte = static_cast<const char*>(at);
  return pinned != nullptr && byte >= pinned && byte < pinned + pinned_bytes;
}

}  // namespace
}  // namespace qed::cuda::fake

using namespace qed::cuda::fake;

extern "C" {

cudaError_t cudaSetDevice(int gpu) {
  if (gpu > 3) return last_error = cudaErrorInvalidDevice;
  device = gpu;
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}
const char* cudaGetErrorString(cudaError_t) { return "an error of the fake"; }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new CUstream_st;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  stream->run(stream->work.size());
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  *event = {stream, stream->work.size()};
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->stream != nullptr) event->stream->run(event->end);
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  if (bytes > memory_left) return last_error = cudaErrorMemoryAllocation;
  *memory = std::malloc(bytes);
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  *memory = pinned = static_cast<char*>(std::malloc(bytes));
  pinned_bytes = bytes;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = memory_left;
  *total = std::size_t{1} << 30;
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (kind == cudaMemcpyHostToDevice && !is_pinned(from)) ++pageable_uploads;
  stream->work.push_back([=] {
    std::memcpy(to, from, bytes);
    ++copies_done;
  });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  stream->work.push_back([=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}

}  // extern "C"
