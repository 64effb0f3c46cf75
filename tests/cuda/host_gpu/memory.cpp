#include "tests/cuda/host_gpu/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace qed::cuda {

namespace {

constexpr std::int64_t kAlignment = 256;

std::int64_t rounded_up(std::int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

std::byte* map(int file, std::int64_t bytes, int protection) {
  void* const at =
      ::mmap(nullptr, static_cast<std::size_t>(bytes), protection, MAP_SHARED, file, 0);
  if (at == MAP_FAILED) stop("cannot map %lld bytes", static_cast<long long>(bytes));
  return static_cast<std::byte*>(at);
}

}  // namespace

void stop(const char* format, ...) {
  std::va_list values;
  va_start(values, format);
  std::fputs("fake GPU: ", stderr);
  std::vfprintf(stderr, format, values);
  std::fputc('\n', stderr);
  va_end(values);
  std::abort();
}

// Twice the addresses, so that holes between blocks are no lack of memory: a GPU has none either.
Memory::Memory(std::int64_t bytes) : limit_(bytes), reserved_(2 * rounded_up(bytes)) {
  const int file = ::memfd_create("fake GPU", MFD_CLOEXEC);
  if (file < 0 || ::ftruncate(file, reserved_) != 0) stop("cannot have memory");
  closed_ = map(file, reserved_, PROT_NONE);
  open_ = map(file, reserved_, PROT_READ | PROT_WRITE);
  ::close(file);
}

void* Memory::allocate(std::int64_t bytes) {
  const std::int64_t size = rounded_up(bytes);
  if (size > free_bytes()) return nullptr;
  std::int64_t begin = 0;  // of the first hole that is large enough
  for (const auto& [offset, used] : blocks_) {
    if (offset - begin >= size) break;
    begin = offset + rounded_up(used);
  }
  if (begin + size > reserved_) return nullptr;
  blocks_[begin] = bytes;
  used_ += size;
  peak_ = std::max(peak_, used_);
  std::memset(open_ + begin, 0xff, static_cast<std::size_t>(bytes));
  return closed_ + begin;
}

void Memory::release(void* memory) {
  const auto block =
      owns(memory) ? blocks_.find(static_cast<std::byte*>(memory) - closed_) : blocks_.end();
  if (block == blocks_.end()) stop("release: %p is no block of this GPU", memory);
  used_ -= rounded_up(block->second);
  blocks_.erase(block);
}

bool Memory::owns(const void* at) const {
  const auto* const byte = static_cast<const std::byte*>(at);
  return byte >= closed_ && byte < closed_ + reserved_;
}

std::byte* Memory::find(const void* at, std::int64_t bytes) const {
  if (!owns(at)) return nullptr;
  const std::int64_t offset = static_cast<const std::byte*>(at) - closed_;
  auto block = blocks_.upper_bound(offset);
  if (block == blocks_.begin()) return nullptr;
  --block;
  return offset + bytes <= block->first + block->second ? open_ + offset : nullptr;
}

void Memory::report() const {
  std::fprintf(stderr,
               "fake GPU: at most %lld bytes in use, %lld bytes in %zu blocks never released\n",
               static_cast<long long>(peak_), static_cast<long long>(used_), blocks_.size());
}

}  // namespace qed::cuda
