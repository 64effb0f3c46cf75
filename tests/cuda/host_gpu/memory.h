#pragma once

// The memory of a GPU that is played by this CPU. Its addresses can neither be read nor written: a
// program that follows one dies at once, as it would where the GPU is a card. The same bytes lie at
// addresses of a second mapping, which only the table's functions use. [any], under the caller's
// lock.

#include <cstddef>
#include <cstdint>
#include <map>

namespace qed::cuda {

// Says what is wrong on stderr, and ends the program: a bug in the code that calls the table.
[[noreturn]] void stop(const char* format, ...) __attribute__((format(printf, 1, 2)));

class Memory {
 public:
  explicit Memory(std::int64_t bytes);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Aligned to 256 and filled with 0xff: NaN in every format, -1 as an integer. Null: out of
  // memory.
  void* allocate(std::int64_t bytes);
  void release(void* memory);

  // Where these bytes lie for this CPU; null unless they are inside one block that is in use.
  std::byte* find(const void* at, std::int64_t bytes) const;
  bool owns(const void* at) const;  // an address of the GPU, in use or not

  std::int64_t free_bytes() const { return limit_ - used_; }
  std::int64_t total_bytes() const { return limit_; }
  void report() const;  // on stderr: how much was used, and what was never released

 private:
  std::int64_t limit_, reserved_;                // reserved: of addresses, more than can be in use
  std::int64_t used_ = 0, peak_ = 0;             // bytes of blocks, rounded up
  std::byte *closed_, *open_;                    // the two mappings
  std::map<std::int64_t, std::int64_t> blocks_;  // in use: offset, bytes
};

}  // namespace qed::cuda
