// A libqed_cuda.so for machines without a GPU: the real one's launches and bodies, run by this CPU
// on memory that only they can follow.
//   FAKE_GPU_BYTES   of memory: 1 GiB
//   FAKE_GPU_ORDER   reverse: the last thread first; see include/core/cuda/kernels/launch.cuh
//   FAKE_GPU_REPORT  1: says on stderr at the end what was used, and what was never released

#include "core/cuda/kernels/cublaslt.h"
#include "core/cuda/kernels/kernels.cuh"
#include "tests/cuda/host_gpu/exchange.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

namespace qed::cuda {

namespace {

constexpr std::int32_t kOutOfMemory = 2;  // cudaErrorMemoryAllocation

std::mutex mutex;          // of all calls
Memory* memory = nullptr;  // once it is open; for ever
char stream;               // its address is the queue

std::string setting(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

void check_open() {
  if (memory == nullptr) stop("it was not opened");
}

void check_stream(const void* given) {
  check_open();
  if (given != &stream) stop("%p is no stream that open gave", given);
}

std::byte* bytes_at(const char* call, const void* at, std::int64_t bytes) {
  if (bytes < 0) stop("%s: %lld bytes", call, static_cast<long long>(bytes));
  std::byte* const found = bytes == 0 ? nullptr : memory->find(at, bytes);
  if (bytes > 0 && found == nullptr) {
    stop("%s: %lld bytes at %p, which are not inside one block", call,
         static_cast<long long>(bytes), at);
  }
  return found;
}

void check_host(const char* call, const void* at, std::int64_t bytes) {
  if (bytes > 0 && at == nullptr) stop("%s: no memory of the host", call);
  if (bytes > 0 && memory->owns(at)) stop("%s: %p is no address of the host", call, at);
}

std::int32_t open(std::int32_t gpu, void** queue) {
  const std::scoped_lock lock(mutex);
  if (memory != nullptr) stop("it was opened twice");
  if (gpu < 0) stop("there is no GPU %d", gpu);
  memory = new Memory(std::stoll(setting("FAKE_GPU_BYTES", "1073741824")));
  *queue = &stream;
  if (setting("FAKE_GPU_REPORT", "") == "1") std::atexit([] { memory->report(); });
  return 0;
}

std::int32_t allocate(void** block, std::int64_t bytes) {
  const std::scoped_lock lock(mutex);
  check_open();
  if (bytes < 0) stop("allocate: %lld bytes", static_cast<long long>(bytes));
  *block = bytes == 0 ? nullptr : memory->allocate(bytes);
  return bytes > 0 && *block == nullptr ? kOutOfMemory : 0;
}

std::int32_t release(void* block) {
  const std::scoped_lock lock(mutex);
  check_open();
  if (block != nullptr) memory->release(block);
  return 0;
}

std::int32_t upload(void* to, const void* host, std::int64_t bytes, void* queue) {
  const std::scoped_lock lock(mutex);
  check_stream(queue);
  check_host("upload", host, bytes);
  std::byte* const at = bytes_at("upload", to, bytes);
  if (at != nullptr) std::memcpy(at, host, static_cast<std::size_t>(bytes));
  return 0;
}

std::int32_t download(void* host, const void* from, std::int64_t bytes, void* queue) {
  const std::scoped_lock lock(mutex);
  check_stream(queue);
  check_host("download", host, bytes);
  const std::byte* const at = bytes_at("download", from, bytes);
  if (at != nullptr) std::memcpy(host, at, static_cast<std::size_t>(bytes));
  return 0;
}

std::int32_t copy(void* to, const void* from, std::int64_t bytes, void* queue) {
  const std::scoped_lock lock(mutex);
  check_stream(queue);
  std::byte* const target = bytes_at("copy", to, bytes);
  const std::byte* const source = bytes_at("copy", from, bytes);
  if (target == nullptr) return 0;
  if (target < source + bytes && source < target + bytes) stop("copy: the two overlap");
  std::memcpy(target, source, static_cast<std::size_t>(bytes));
  return 0;
}

std::int32_t clear(void* to, std::int64_t bytes, void* queue) {
  const std::scoped_lock lock(mutex);
  check_stream(queue);
  std::byte* const at = bytes_at("clear", to, bytes);
  if (at != nullptr) std::memset(at, 0, static_cast<std::size_t>(bytes));
  return 0;
}

std::int32_t wait(void* queue) {
  const std::scoped_lock lock(mutex);
  check_stream(queue);
  return 0;
}

std::int32_t memory_bytes(std::int64_t* free, std::int64_t* total) {
  const std::scoped_lock lock(mutex);
  check_open();
  *free = memory->free_bytes();
  *total = memory->total_bytes();
  return 0;
}

const char* error_text(std::int32_t error) {
  return error == 0 ? "no error" : error == kOutOfMemory ? "out of memory" : "unknown error";
}

template <auto kKernel, class Args>
std::int32_t call(const Args& args, void* queue) {
  const std::scoped_lock lock(mutex);
  check_stream(queue);
  Args own = args;
  Exchange pointers(*memory);
  exchange(pointers, own);
  return kKernel(own, queue);
}

void fill(KernelTable& table) {
  table.device = {open, allocate, release, upload,       download,
                  copy, clear,    wait,    memory_bytes, error_text};
  table.rms_norm = call<rms_norm>;
  table.head_norm = call<head_norm>;
  table.gemm = call<gemm>;
  table.gemm_library = cublaslt_version;
  table.convert = call<convert>;
  table.swiglu = call<swiglu>;
  table.embedding = call<embedding>;
  table.rope = call<rope>;
  table.attention = call<attention>;
  table.draw = call<draw>;
  table.sum_squares = call<sum_squares>;
  table.adamw = call<adamw>;
  table.rms_norm_backward = call<rms_norm_backward>;
  table.head_norm_backward = call<head_norm_backward>;
  table.swiglu_backward = call<swiglu_backward>;
  table.scatter_rows = call<scatter_rows>;
  table.column_sum = call<column_sum>;
  table.attention_backward = call<attention_backward>;
  table.token_logp = call<token_logp>;
  table.token_logp_backward = call<token_logp_backward>;
}

}  // namespace

}  // namespace qed::cuda

extern "C" __attribute__((visibility("default"))) std::int32_t qed_cuda_table(
    qed::cuda::KernelTable* table) {
  using namespace qed::cuda;
  const bool is_same = table->version == kTableVersion && table->size == sizeof(KernelTable);
  table->version = kTableVersion;
  table->size = sizeof(KernelTable);
  if (!is_same) return 1;
  table->runtime_version = 13000;
  table->reserved = 0;
  table->architectures = "80 89 90a";
  fill(*table);
  return 0;
}
