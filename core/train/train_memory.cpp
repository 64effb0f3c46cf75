#include "core/train/train_memory.h"

#include "core/model/kv_cache.h"
#include "core/ops/panels.h"
#include "core/ops/token_logp.h"
#include "core/util/error.h"
#include "core/util/numbers.h"

#include <algorithm>

namespace qed {

namespace {

constexpr std::int64_t kFloat = sizeof(float);

// Floats that the backward of one layer needs of a row: the two sums and norms of the residual
// stream, queries, keys and values (twice where they are normed), what attention gives, both halves
// of the MLP and their product.
std::int64_t layer_floats(const ModelConfig& c) {
  const std::int64_t qkv = c.q_width() + 2 * c.kv_width();
  return 4 * c.hidden_size + (c.qk_norm ? 2 : 1) * qkv + c.q_width() + c.num_attention_heads +
         3 * c.intermediate_size;
}

// Floats that exist for a moment, in the backward of a layer.
std::int64_t passing_floats(const ModelConfig& c) {
  return 4 * c.hidden_size + 3 * c.intermediate_size + c.q_width() + 2 * c.kv_width();
}

// Rows of a forward and backward at most.
std::int64_t max_rows(const ModelConfig& c, const Stage& stage) {
  const std::int64_t sequences = stage.kind == "sft"
                                     ? stage.train.batch_size
                                     : stage.rollout.prompts * stage.rollout.group_size;
  return std::min(stage.train.micro_tokens, sequences * c.max_position_embeddings);
}

}  // namespace

std::string TrainMemory::text() const {
  std::string out =
      cat(bytes_text(total_bytes()), ": weights ", bytes_text(weights_bytes), ", gradient ",
          bytes_text(gradient_bytes), ", optimizer ", bytes_text(optimizer_bytes), ", activations ",
          bytes_text(activations_bytes), ", logits ", bytes_text(logits_bytes));
  if (kv_bytes > 0) out += cat(", KV at least ", bytes_text(kv_bytes));
  return out;
}

TrainMemory plan_training(const ModelConfig& c, std::int64_t num_weights, const Stage& stage) {
  const std::int64_t rows = max_rows(c, stage);
  TrainMemory plan;
  plan.weights_bytes = plan.gradient_bytes = num_weights * kFloat;
  plan.optimizer_bytes = 2 * num_weights * kFloat;
  // Layers that are computed again keep the two tensors that go into them.
  const std::int64_t layers = stage.train.checkpointing
                                  ? c.num_hidden_layers * 2 * c.hidden_size + layer_floats(c)
                                  : c.num_hidden_layers * layer_floats(c);
  plan.activations_bytes = rows * (layers + passing_floats(c) + 3 * c.hidden_size) * kFloat;
  plan.logits_bytes = std::min(rows, ops::logits_rows(c.vocab_size)) * c.vocab_size * kFloat;
  if (stage.kind == "rl") {
    const std::int64_t positions =
        std::min(stage.rollout.max_new_tokens, c.max_position_embeddings);
    plan.kv_bytes = ops::num_panels(positions) * KvCache::page_bytes(c);
  }
  return plan;
}

void check_memory(const TrainMemory& plan, std::int64_t available_bytes) {
  if (plan.total_bytes() <= available_bytes) return;
  const std::int64_t fixed = plan.weights_bytes + plan.gradient_bytes + plan.optimizer_bytes;
  throw Error(cat("training needs ", plan.text(), "; this machine has ",
                  bytes_text(available_bytes), " free"),
              fixed > available_bytes ? "use a smaller model, or a machine with more memory"
                                      : "lower train.micro_tokens, or set train.checkpointing");
}

}  // namespace qed
