#include "core/ops/device.h"

#include "core/util/error.h"
#include "core/util/memory.h"
#include "core/util/numbers.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <bit>
#include <limits>

namespace qed::ops {

namespace {

constexpr std::int32_t kOutOfMemory = 2;  // of cudaError_t
constexpr std::int64_t kSmallest = 256;

// Sizes that the pool tells apart: eight between two powers of two, so that memory of one batch
// fits the next one of about the same size.
std::int64_t rounded_up(std::int64_t bytes) {
  if (bytes <= kSmallest) return kSmallest;
  const auto power = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(bytes)));
  const std::int64_t step = std::max(power / 8, kSmallest);
  return (bytes + step - 1) / step * step;
}

std::int64_t num_bytes(const at::Tensor& x) {
  QED_CHECK(x.is_contiguous());
  return static_cast<std::int64_t>(x.nbytes());
}

Device* current = nullptr;

}  // namespace

Device* device() { return current; }
void set_device(Device* device) { current = device; }

at::Tensor clone(const at::Tensor& x) { return current != nullptr ? current->clone(x) : x.clone(); }

std::int64_t available_bytes() {
  return current != nullptr ? current->free_bytes() : available_memory_bytes();
}

Device::Device(const cuda::KernelTable& table, std::int32_t gpu, std::string name, bool is_exact)
    : table_(table), name_(std::move(name)), is_exact_(is_exact) {
  check(table_.device.open(gpu, &stream_));
}

void Device::check(std::int32_t error) const {
  if (error == 0) return;
  throw Error(cat("the GPU reports: ", table_.device.error_text(error)),
              "see whether `qed devices` finds it, or write run.device = \"cpu\"");
}

void Device::release_pool() {
  for (const auto& [bytes, memory] : pool_) check(table_.device.release(memory));
  pool_.clear();
  pool_bytes_ = 0;
}

void* Device::take(std::int64_t bytes) {
  const auto found = pool_.find(bytes);
  if (found != pool_.end()) {
    void* const memory = found->second;
    pool_.erase(found);
    pool_bytes_ -= bytes;
    return memory;
  }
  void* memory = nullptr;
  std::int32_t error = table_.device.allocate(&memory, bytes);
  if (error == kOutOfMemory && !pool_.empty()) {
    release_pool();
    error = table_.device.allocate(&memory, bytes);
  }
  if (error == kOutOfMemory) {
    std::int64_t free = 0, total = 0;
    check(table_.device.memory(&free, &total));
    throw Error(cat("the GPU is out of memory: ", bytes_text(bytes), " are wanted, ",
                    bytes_text(free), " of ", bytes_text(total), " are free"),
                "lower train.micro_tokens or rollout.max_batch, or set train.checkpointing");
  }
  check(error);
  return memory;
}

at::Tensor Device::empty(at::IntArrayRef sizes, at::ScalarType type) {
  std::int64_t bytes = static_cast<std::int64_t>(at::elementSize(type));
  for (const std::int64_t size : sizes) bytes *= size;
  bytes = rounded_up(bytes);
  void* memory = nullptr;
  {
    const std::lock_guard lock(mutex_);
    memory = take(bytes);
  }
  // One queue of work: what was queued for the memory's last owner is done before the next one's.
  const auto give_back = [this, bytes](void* freed) {
    const std::lock_guard lock(mutex_);
    pool_.emplace(bytes, freed);
    pool_bytes_ += bytes;
  };
  return at::from_blob(memory, sizes, give_back, type);
}

at::Tensor Device::zeros(at::IntArrayRef sizes, at::ScalarType type) {
  at::Tensor x = empty(sizes, type);
  clear(x);
  return x;
}

at::Tensor Device::clone(const at::Tensor& x) {
  at::Tensor out = empty(x.sizes(), x.scalar_type());
  copy(out, x);
  return out;
}

void Device::write(const at::Tensor& x, const void* from) {
  if (x.numel() == 0) return;
  check(table_.device.upload(x.mutable_data_ptr(), from, num_bytes(x), stream_));
}

void Device::read(const at::Tensor& x, void* to) {
  if (x.numel() == 0) return;
  check(table_.device.download(to, x.const_data_ptr(), num_bytes(x), stream_));
}

void Device::copy(const at::Tensor& to, const at::Tensor& from) {
  QED_CHECK(to.numel() == from.numel() && to.scalar_type() == from.scalar_type());
  if (to.numel() == 0) return;
  check(table_.device.copy(to.mutable_data_ptr(), from.const_data_ptr(), num_bytes(to), stream_));
}

void Device::clear(const at::Tensor& x) {
  if (x.numel() == 0) return;
  check(table_.device.clear(x.mutable_data_ptr(), num_bytes(x), stream_));
}

at::Tensor Device::upload(const at::Tensor& host) {
  at::Tensor x = empty(host.sizes(), host.scalar_type());
  write(x, host.const_data_ptr());
  return x;
}

at::Tensor Device::download(const at::Tensor& x) {
  at::Tensor host = at::empty(x.sizes(), x.scalar_type());
  read(x, host.mutable_data_ptr());
  return host;
}

at::Tensor Device::upload_int32(const at::Tensor& host) {
  const auto n = static_cast<std::size_t>(host.numel());
  const std::span<const std::int64_t> from(host.const_data_ptr<std::int64_t>(), n);
  std::vector<std::int32_t> values;
  values.reserve(n);
  for (const std::int64_t value : from) {
    QED_CHECK(value >= std::numeric_limits<std::int32_t>::min() &&
              value <= std::numeric_limits<std::int32_t>::max());
    values.push_back(static_cast<std::int32_t>(value));
  }
  return upload<std::int32_t>(values, at::kInt);
}

std::int64_t Device::free_bytes() {
  const std::lock_guard lock(mutex_);
  std::int64_t free = 0, total = 0;
  check(table_.device.memory(&free, &total));
  return free + pool_bytes_;
}

}  // namespace qed::ops
