// What follows from a config alone: its tensors and its rotary frequencies.

#include "core/model/config.h"

#include <cmath>
#include <numbers>

namespace qed {

namespace {

void add_layer(const ModelConfig& c, const std::string& layer, std::vector<TensorSpec>& out) {
  const std::int64_t d = c.hidden_size, f = c.intermediate_size;
  const std::int64_t q = c.q_width(), kv = c.kv_width();
  const auto linear = [&](const std::string& name, std::int64_t rows, std::int64_t depth,
                          bool has_bias) {
    out.push_back({layer + name + ".weight", {rows, depth}});
    if (has_bias) out.push_back({layer + name + ".bias", {rows}});
  };
  const auto norm = [&](const std::string& name, std::int64_t n) {
    out.push_back({layer + name + ".weight", {n}});
  };
  norm("input_layernorm", d);
  linear("self_attn.q_proj", q, d, c.attention_bias);
  linear("self_attn.k_proj", kv, d, c.attention_bias);
  linear("self_attn.v_proj", kv, d, c.attention_bias);
  if (c.qk_norm) norm("self_attn.q_norm", c.head_dim), norm("self_attn.k_norm", c.head_dim);
  linear("self_attn.o_proj", d, q, c.attention_output_bias);
  norm("post_attention_layernorm", d);
  linear("mlp.gate_proj", f, d, c.mlp_bias);
  linear("mlp.up_proj", f, d, c.mlp_bias);
  linear("mlp.down_proj", d, f, c.mlp_bias);
}

// Llama 3.1's stretch of one frequency, in float32: `apply_scaling` of its reference implementation
// (github.com/meta-llama/llama-models). Wavelengths below the original context divided by
// high_freq_factor stay, those above it divided by low_freq_factor grow by `factor`, and between
// the two the frequency is interpolated.
float llama3_frequency(float frequency, const RopeScaling& s) {
  const auto context = static_cast<float>(s.original_max_position_embeddings);
  const auto factor = static_cast<float>(s.factor);
  const auto low = static_cast<float>(s.low_freq_factor);
  const auto high = static_cast<float>(s.high_freq_factor);
  const float wavelength = 2 * std::numbers::pi_v<float> / frequency;
  if (wavelength < context / high) return frequency;
  if (wavelength > context / low) return frequency / factor;
  const float smooth = (context / wavelength - low) / (high - low);
  return (1 - smooth) * frequency / factor + smooth * frequency;
}

}  // namespace

std::vector<TensorSpec> checkpoint_tensors(const ModelConfig& c) {
  std::vector<TensorSpec> out = {{"model.embed_tokens.weight", {c.vocab_size, c.hidden_size}}};
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    add_layer(c, "model.layers." + std::to_string(i) + ".", out);
  }
  out.push_back({"model.norm.weight", {c.hidden_size}});
  if (c.value_head) {
    out.push_back({"score.weight", {1, c.hidden_size}});
  } else if (!c.tie_word_embeddings) {
    out.push_back({"lm_head.weight", {c.vocab_size, c.hidden_size}});
  }
  return out;
}

// Su et al., "RoFormer" (2021), section 3.4.2: theta^(-2 i / dim). Linear scaling: Chen et al.,
// "Extending Context Window of Large Language Models via Position Interpolation" (2023).
std::vector<float> rope_frequencies(const ModelConfig& c) {
  const RopeScaling& s = c.rope_scaling;
  std::vector<float> out;
  for (std::int64_t i = 0; i < c.head_dim / 2; ++i) {
    const double exponent = static_cast<double>(2 * i) / static_cast<double>(c.head_dim);
    float frequency = 1.0f / static_cast<float>(std::pow(c.rope_theta, exponent));
    if (s.rope_type == "linear") frequency /= static_cast<float>(s.factor);
    if (s.rope_type == "llama3") frequency = llama3_frequency(frequency, s);
    out.push_back(frequency);
  }
  return out;
}

}  // namespace qed
