#pragma once

// The blocks of a KV pool, by number: who holds them is counted, so that sequences of one prompt
// can share its blocks. Numbers only; the floats are in core/model/kv_cache.h. Not thread-safe.

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace qed {

// Blocks that hold n positions.
inline constexpr std::int64_t blocks_for(std::int64_t n, std::int64_t block_size) {
  return (n + block_size - 1) / block_size;
}

class BlockPool {
 public:
  explicit BlockPool(std::int64_t num_blocks);

  std::int64_t num_blocks() const { return static_cast<std::int64_t>(holders_.size()); }
  std::int64_t num_free() const { return num_free_; }
  // Times that a block is held; 0: it is free.
  std::int32_t holders(std::int32_t block) const {
    return holders_[static_cast<std::size_t>(block)];
  }

  // A free block, held once: the lowest number, so that memory beyond the peak is never touched.
  // There must be one.
  std::int32_t take();
  // Holds a block that is held already once more.
  void share(std::int32_t block);
  // Ends one hold; the last one frees the block.
  void release(std::int32_t block);

 private:
  std::vector<std::int32_t> holders_;
  std::int32_t num_touched_ = 0;  // blocks from here on were never taken
  std::int64_t num_free_;
  std::priority_queue<std::int32_t, std::vector<std::int32_t>, std::greater<>> returned_;
};

}  // namespace qed
