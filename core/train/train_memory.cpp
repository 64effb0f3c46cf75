#include "core/train/train_memory.h"

#include "core/model/kv_cache.h"
#include "core/model/model_facts.h"
#include "core/ops/matrix.h"
#include "core/ops/token_logp.h"
#include "core/util/error.h"
#include "core/util/numbers.h"

#include <algorithm>
#include <utility>

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

// The part of a transposed matrix that the backward needs at one time.
std::int64_t turned_floats(const ModelConfig& c) {
  const auto floats = ops::TransposedMatrix::num_floats;
  const std::int64_t d = c.hidden_size;
  return std::max({floats(c.value_head ? 1 : c.vocab_size, d), floats(2 * c.intermediate_size, d),
                   floats(d, c.intermediate_size), floats(c.q_width() + 2 * c.kv_width(), d)});
}

// Of a micro-batch. Layers that are computed again keep the two tensors that go into them.
std::int64_t activations_bytes(const ModelConfig& c, std::int64_t rows, bool is_computed_again) {
  const std::int64_t layers = is_computed_again
                                  ? c.num_hidden_layers * 2 * c.hidden_size + layer_floats(c)
                                  : c.num_hidden_layers * layer_floats(c);
  const std::int64_t of_row = layers + passing_floats(c) + 3 * c.hidden_size;
  return (rows * of_row + turned_floats(c)) * kFloat;
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
  std::string out = bytes_text(total_bytes());
  const char* separator = ": ";
  for (const auto& [name, bytes] : {std::pair{"weights", weights_bytes},
                                    {"gradient", gradient_bytes},
                                    {"optimizer", optimizer_bytes},
                                    {"reference", reference_bytes},
                                    {"critic", critic_bytes},
                                    {"activations", activations_bytes},
                                    {"logits", logits_bytes},
                                    {"KV at least", kv_bytes}}) {
    if (bytes == 0) continue;
    out += cat(separator, name, " ", bytes_text(bytes));
    separator = ", ";
  }
  return out;
}

TrainMemory plan_training(const TrainedModels& models, const Stage& stage) {
  const ModelConfig& c = models.policy;
  const std::int64_t rows = max_rows(c, stage);
  const std::int64_t all = weights_bytes(c, Dtype::kFloat32);
  const bool is_rounded = models.dtype == Dtype::kBfloat16;
  TrainMemory plan;
  plan.weights_bytes = is_rounded ? all / 2 * 3 : all;
  plan.gradient_bytes = all;
  plan.optimizer_bytes = 2 * all;
  if (models.has_reference) plan.reference_bytes = weights_bytes(c, models.dtype);
  plan.activations_bytes = activations_bytes(c, rows, stage.train.checkpointing);
  if (models.critic) {
    const std::int64_t critic = weights_bytes(*models.critic, Dtype::kFloat32);
    plan.critic_bytes = is_rounded ? critic / 2 * 9 : critic * 4;
    plan.activations_bytes += activations_bytes(*models.critic, rows, stage.train.checkpointing);
  }
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
  throw Error(cat("training needs ", plan.text(), "; this machine has ",
                  bytes_text(available_bytes), " free"),
              plan.models_bytes() <= available_bytes
                  ? "lower train.micro_tokens, or set train.checkpointing"
              : plan.critic_bytes > 0
                  ? "use an algorithm without a critic, a smaller model, or a larger machine"
                  : "use a smaller model, or a machine with more memory");
}

}  // namespace qed
