#include "core/rollout/blocks.h"

#include "core/util/error.h"

namespace qed {

BlockPool::BlockPool(std::int64_t num_blocks)
    : holders_(static_cast<std::size_t>(num_blocks)), num_free_(num_blocks) {}

std::int32_t BlockPool::take() {
  QED_CHECK(num_free_ > 0);
  --num_free_;
  std::int32_t block = num_touched_;
  if (returned_.empty()) {
    ++num_touched_;
  } else {
    block = returned_.top();
    returned_.pop();
  }
  holders_[static_cast<std::size_t>(block)] = 1;
  return block;
}

void BlockPool::share(std::int32_t block) {
  QED_CHECK(holders(block) > 0, "block ", block);
  ++holders_[static_cast<std::size_t>(block)];
}

void BlockPool::release(std::int32_t block) {
  QED_CHECK(holders(block) > 0, "block ", block);
  if (--holders_[static_cast<std::size_t>(block)] > 0) return;
  returned_.push(block);
  ++num_free_;
}

}  // namespace qed
