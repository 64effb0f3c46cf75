#pragma once

// What a model costs, from its config alone: parameters and bytes.

#include "core/model/config.h"
#include "core/model/dtype.h"

#include <cstdint>

namespace qed {

struct ParameterCounts {
  std::int64_t embedding = 0;
  std::int64_t attention = 0;  // with its biases and norms of queries and keys
  std::int64_t mlp = 0;
  std::int64_t norm = 0;    // of the residual stream
  std::int64_t output = 0;  // 0 where it is tied to the embedding

  std::int64_t total() const { return embedding + attention + mlp + norm + output; }
};

ParameterCounts count_parameters(const ModelConfig& config);

// Weights as Weights keeps them: matrices of `dtype` in whole panels, vectors in float32.
std::int64_t weights_bytes(const ModelConfig& config, Dtype dtype);

// Keys and values of one position, float32.
std::int64_t kv_bytes_per_token(const ModelConfig& config);

// Weights, their gradient and AdamW's two moments, float32; activations come on top.
std::int64_t training_bytes(const ModelConfig& config);

}  // namespace qed
