#pragma once

// What training needs of the machine's memory, known before the first step.

#include "core/config/run_config.h"
#include "core/model/config.h"

#include <cstdint>
#include <string>

namespace qed {

// Without reference and critic, which an algorithm may ask for.
struct TrainMemory {
  std::int64_t weights_bytes = 0, gradient_bytes = 0, optimizer_bytes = 0;
  std::int64_t activations_bytes = 0;  // of a micro-batch at its largest
  std::int64_t logits_bytes = 0;       // of the rows whose logits exist at one time
  std::int64_t kv_bytes = 0;           // rl: of one completion; the rollout takes what is left

  std::int64_t total_bytes() const {
    return weights_bytes + gradient_bytes + optimizer_bytes + activations_bytes + logits_bytes +
           kv_bytes;
  }
  // "1.31 GiB: weights 98.7 MiB, gradient …, optimizer …, activations …, logits …, KV at least …"
  std::string text() const;
};

// Of one stage, for a model of so many weights in float32, rounded up to the kernels' layout.
TrainMemory plan_training(const ModelConfig& config, std::int64_t num_weights, const Stage& stage);

// Throws Error with the numbers, and the key to lower, when `plan` exceeds `available_bytes`.
void check_memory(const TrainMemory& plan, std::int64_t available_bytes);

}  // namespace qed
