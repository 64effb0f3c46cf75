#pragma once

// The models once more, in plain LibTorch and float64, on tensors with Hugging Face's names.

#include <map>
#include <string>
#include <vector>

#include "core/model/weights.h"
#include "tests/model/model_fixture.h"
#include "tests/ops/reference.h"

namespace qed {

using NamedTensors = std::map<std::string, at::Tensor>;

// A flat buffer of these weights (the weights, their gradient) as named float64 tensors.
inline NamedTensors named_tensors(Weights& weights, const at::Tensor& flat) {
  NamedTensors out;
  for (const NamedTensor& t : to_tensors(weights, flat)) {
    at::Tensor values = at::empty(t.shape, at::kFloat);
    std::copy(t.data.begin(), t.data.end(), values.data_ptr<float>());
    out[t.name] = values.to(at::kDouble);
  }
  return out;
}

// Hidden states after the last norm; as transformers' models.
inline at::Tensor plain_forward(NamedTensors w, const ModelConfig& c, const at::Tensor& id,
                                const at::Tensor& position,
                                const std::vector<std::int64_t>& offset) {
  const ops::Heads heads{c.num_attention_heads, c.num_key_value_heads, c.head_dim};
  ops::RopeTable table(rope_frequencies(c));
  table.grow(c.max_position_embeddings);
  const at::Tensor cos = at::index_select(table.cos(), 0, position).to(at::kDouble);
  const at::Tensor sin = at::index_select(table.sin(), 0, position).to(at::kDouble);
  at::Tensor x = reference::embedding(id, w["model.embed_tokens.weight"]);
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    const auto linear = [&](const std::string& name, const at::Tensor& in) {
      return reference::linear(in, w[layer + name + ".weight"], w[layer + name + ".bias"]);
    };
    at::Tensor h = reference::rms_norm(x, w[layer + "input_layernorm.weight"], c.rms_norm_eps);
    at::Tensor qkv = at::cat({linear("self_attn.q_proj", h), linear("self_attn.k_proj", h),
                              linear("self_attn.v_proj", h)},
                             1);
    if (c.model_type == "qwen3") {
      qkv = reference::head_norm(qkv, w[layer + "self_attn.q_norm.weight"],
                                 w[layer + "self_attn.k_norm.weight"], heads.heads, heads.kv_heads,
                                 c.rms_norm_eps);
    }
    h = reference::attention(reference::rope(qkv, cos, sin, heads.heads + heads.kv_heads), heads,
                             offset);
    x = x + linear("self_attn.o_proj", h);
    h = reference::rms_norm(x, w[layer + "post_attention_layernorm.weight"], c.rms_norm_eps);
    h = at::cat({linear("mlp.gate_proj", h), linear("mlp.up_proj", h)}, 1);
    x = x + linear("mlp.down_proj", reference::swiglu(h));
  }
  return reference::rms_norm(x, w["model.norm.weight"], c.rms_norm_eps);
}

inline at::Tensor lm_head(const NamedTensors& w) {
  return w.at(w.contains("lm_head.weight") ? "lm_head.weight" : "model.embed_tokens.weight");
}

}  // namespace qed
