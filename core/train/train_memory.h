#pragma once

// What training needs of the machine's memory, known before the first step.

#include "core/config/run_config.h"
#include "core/model/config.h"
#include "core/model/dtype.h"

#include <cstdint>
#include <optional>
#include <string>

namespace qed {

struct TrainMemory {
  std::int64_t weights_bytes = 0;  // of the policy, with the rounded copy of bfloat16
  std::int64_t gradient_bytes = 0, optimizer_bytes = 0;
  std::int64_t reference_bytes = 0;    // its weights; 0 without one
  std::int64_t critic_bytes = 0;       // its weights, gradient and optimizer; likewise
  std::int64_t activations_bytes = 0;  // of a micro-batch at its largest, through all models
  std::int64_t logits_bytes = 0;       // of the rows whose logits exist at one time
  std::int64_t kv_bytes = 0;           // rl: of one completion; the rollout takes what is left

  // What does not depend on the batch.
  std::int64_t models_bytes() const {
    return weights_bytes + gradient_bytes + optimizer_bytes + reference_bytes + critic_bytes;
  }
  std::int64_t total_bytes() const {
    return models_bytes() + activations_bytes + logits_bytes + kv_bytes;
  }
  // "1.31 GiB: weights 98.7 MiB, gradient …, optimizer …, reference …, critic …, activations …,
  // logits …, KV at least …", of which only what there is.
  std::string text() const;
};

// The models that a stage works with.
struct TrainedModels {
  ModelConfig policy;
  Dtype dtype = Dtype::kFloat32;  // see Weights
  bool has_reference = false;
  std::optional<ModelConfig> critic = std::nullopt;
};

TrainMemory plan_training(const TrainedModels& models, const Stage& stage);

// Throws Error with the numbers, and the key to lower, when `plan` exceeds `available_bytes`.
void check_memory(const TrainMemory& plan, std::int64_t available_bytes);

}  // namespace qed
