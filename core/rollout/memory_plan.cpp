#include "core/rollout/memory_plan.h"

#include "core/model/kv_cache.h"
#include "core/util/error.h"
#include "core/util/numbers.h"

#include <algorithm>

namespace qed {

namespace {

constexpr std::int64_t kFloat = sizeof(float);
constexpr std::int64_t kLogitsBytes = std::int64_t{32} << 20;

// Floats that one row of a forward holds at most: the residual stream, its sum and its norm, and
// the widest of what a layer computes.
std::int64_t floats_per_row(const ModelConfig& c) {
  const std::int64_t heads = c.num_attention_heads * c.head_dim;
  const std::int64_t qkv = heads + 2 * c.num_key_value_heads * c.head_dim;
  return 3 * c.hidden_size + std::max(2 * qkv + heads, 3 * c.intermediate_size);
}

}  // namespace

std::int64_t logits_rows(std::int64_t vocab_size) {
  return std::clamp<std::int64_t>(kLogitsBytes / (kFloat * vocab_size), 32, 4096);
}

std::string MemoryPlan::text(std::int64_t block_size) const {
  return cat("needs ", bytes_text(total_bytes()), ": weights ", bytes_text(weights_bytes), ", KV ",
             bytes_text(kv_bytes()), " (", num_blocks, " blocks of ", block_size, " positions, ",
             bytes_text(block_bytes), " each), logits ", bytes_text(logits_bytes), ", activations ",
             bytes_text(activations_bytes));
}

MemoryPlan plan_memory(const ModelConfig& config, std::int64_t weights_bytes,
                       std::span<const SampleGroup> groups, const ScheduleOptions& options,
                       std::int64_t available_bytes, const LimitNames& names) {
  std::int64_t num_samples = 0, prompt_rows = 0;
  for (const SampleGroup& g : groups) {
    num_samples += g.num_samples;
    prompt_rows += g.prompt_length * (options.share_prefix ? 1 : g.num_samples);
  }
  const std::int64_t batch = std::min(options.max_batch, num_samples);
  const std::int64_t rows = batch + std::min(options.prefill_chunk, prompt_rows);

  MemoryPlan plan;
  plan.weights_bytes = weights_bytes;
  plan.block_bytes = options.block_size / ops::kPagePositions * KvCache::page_bytes(config);
  plan.logits_bytes = std::min(batch, logits_rows(config.vocab_size)) * config.vocab_size * kFloat;
  plan.activations_bytes = rows * floats_per_row(config) * kFloat;
  plan.most_blocks = max_blocks(groups, options);
  plan.num_blocks = options.num_blocks;
  if (plan.num_blocks == 0) {
    const std::int64_t left = available_bytes - plan.total_bytes();
    plan.num_blocks =
        std::clamp(left / 5 * 4 / plan.block_bytes, min_blocks(groups, options), plan.most_blocks);
  }
  if (plan.total_bytes() <= available_bytes) return plan;
  const bool is_weights = weights_bytes > available_bytes / 2;
  throw Error(cat("generation ", plan.text(options.block_size), "; this machine has ",
                  bytes_text(available_bytes), " free"),
              is_weights ? cat("set ", names.dtype, " to bfloat16, or use a smaller model")
                         : cat("lower ", names.max_new_tokens, " or ", names.max_batch));
}

}  // namespace qed
