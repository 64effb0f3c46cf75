#pragma once

// The config.json of a Hugging Face model folder, for all families. The members carry its own key
// names where it has one. A key that changes the model and is not supported is an Error that names
// it; other unknown keys are ignored.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace qed {

// How rotary frequencies are stretched for contexts longer than the first training's.
struct RopeScaling {
  std::string rope_type = "default";  // or "linear", "llama3"
  double factor = 1;
  double low_freq_factor = 1, high_freq_factor = 4;   // llama3
  std::int64_t original_max_position_embeddings = 0;  // llama3
};

struct ModelConfig {
  std::string model_type = "qwen2";  // or "qwen3", "llama", "mistral"
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t num_hidden_layers = 0;
  std::int64_t num_attention_heads = 0;
  std::int64_t num_key_value_heads = 0;
  std::int64_t head_dim = 0;
  // Positions that the model may use. Where layers have a sliding window this is at most the
  // window: within it they see all that precedes, as without one.
  std::int64_t max_position_embeddings = 0;
  double rms_norm_eps = 0;
  double rope_theta = 0;
  RopeScaling rope_scaling;
  double initializer_range = 0;  // standard deviation of a new embedding
  bool tie_word_embeddings = false;
  bool attention_bias = true;          // of q, k and v
  bool attention_output_bias = false;  // of o: llama and qwen3 have all four biases or none
  bool mlp_bias = false;
  // The output layer is one row, `score.weight`, and gives a value for each position: a critic. Not
  // a key of config.json.
  bool value_head = false;
  bool qk_norm = false;  // RMS norm of each head's query and key, before they are rotated

  std::int64_t q_width() const { return num_attention_heads * head_dim; }
  std::int64_t kv_width() const { return num_key_value_heads * head_dim; }
};

// Reads a config.json. Throws Error with the file and the key.
ModelConfig read_model_config(const std::filesystem::path& file);

// A tensor of a checkpoint: its name and shape. A vector of one dimension or a matrix of two.
struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;

  std::int64_t rows() const { return shape.size() == 2 ? shape[0] : 1; }
  std::int64_t row_length() const { return shape.back(); }
  std::int64_t numel() const { return rows() * row_length(); }
};

// The tensors that a checkpoint of this model has, in the order of the forward, under transformers'
// names. A tied output layer has none of its own.
std::vector<TensorSpec> checkpoint_tensors(const ModelConfig& config);

// Angle per position of each pair of a head, [head_dim / 2], stretched as `rope_scaling` says.
std::vector<float> rope_frequencies(const ModelConfig& config);

}  // namespace qed
