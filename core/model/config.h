#pragma once

// The config.json of a Hugging Face model folder. The members carry its own key names. A key that
// changes the model and is not supported is an Error that names it.

#include <cstdint>
#include <filesystem>

namespace qed {

struct ModelConfig {
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t num_hidden_layers = 0;
  std::int64_t num_attention_heads = 0;
  std::int64_t num_key_value_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t max_position_embeddings = 0;
  double rms_norm_eps = 0;
  double rope_theta = 0;
  double initializer_range = 0;  // standard deviation of a new embedding
  bool tie_word_embeddings = false;
};

// Reads a qwen2-shaped model's config.json. Throws Error with the file and the key.
ModelConfig read_model_config(const std::filesystem::path& file);

}  // namespace qed
