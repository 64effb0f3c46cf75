#pragma once

// What generation needs of the machine's memory, known before the first token.

#include "core/model/config.h"
#include "core/rollout/scheduler.h"

#include <cstdint>
#include <span>
#include <string>

namespace qed {

struct MemoryPlan {
  std::int64_t weights_bytes = 0;
  std::int64_t block_bytes = 0;  // keys and values of one block, all layers
  std::int64_t num_blocks = 0;
  std::int64_t most_blocks = 0;  // all that the requests could use at once
  std::int64_t logits_bytes = 0;
  std::int64_t activations_bytes = 0;  // of one forward at its largest

  std::int64_t kv_bytes() const { return num_blocks * block_bytes; }
  std::int64_t total_bytes() const {
    return weights_bytes + kv_bytes() + logits_bytes + activations_bytes;
  }
  // One line: "needs 2.10 GiB: weights 1.84 GiB, KV 208 MiB (832 blocks of 16 positions, 256 KiB
  // each), logits …, activations …".
  std::string text(std::int64_t block_size) const;
};

// How many rows have logits at a time.
std::int64_t logits_rows(std::int64_t vocab_size);

// What the user can lower, in the words of the command that is running.
struct LimitNames {
  const char* max_new_tokens = "rollout.max_new_tokens";
  const char* max_batch = "rollout.max_batch";
  const char* dtype = "model.dtype";
};

// Plans a pool for the groups: what they can use at once, but no more than four fifths of what
// `available_bytes` leave beside the rest. options.num_blocks, where it is not 0, is the pool.
// `weights_bytes` are those still to be read. Throws Error with the numbers when it cannot fit.
MemoryPlan plan_memory(const ModelConfig& config, std::int64_t weights_bytes,
                       std::span<const SampleGroup> groups, const ScheduleOptions& options,
                       std::int64_t available_bytes, const LimitNames& names = {});

}  // namespace qed
