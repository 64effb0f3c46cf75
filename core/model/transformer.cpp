// Llama: Touvron et al., "LLaMA" (2023), section 2.2; with biases Qwen2 (Yang et al., "Qwen2
// Technical Report" (2024), section 2.2), with normed queries and keys Qwen3 ("Qwen3 Technical
// Report" (2025), section 2); Mistral is Llama within its window. As transformers' models.

#include "core/model/transformer.h"

#include "core/ops/embedding.h"
#include "core/ops/linear.h"
#include "core/ops/rms_norm.h"
#include "core/ops/swiglu.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>

namespace qed {

Transformer::Transformer(const ModelConfig& config, WeightsOptions options)
    : config_(config), weights_(config, options), rope_(rope_frequencies(config)) {}

at::Tensor Transformer::forward(const at::Tensor& id, const at::Tensor& position,
                                const AttentionContext& context) {
  const ModelConfig& c = config_;
  const ops::Heads heads{c.num_attention_heads, c.num_key_value_heads, c.head_dim};
  const auto eps = static_cast<float>(c.rms_norm_eps);

  at::Tensor x = ops::embedding(id, weights_.embedding);
  for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
    const LayerWeights& w = weights_.layers[i];

    at::Tensor h = ops::rms_norm(x, w.input_norm, eps);
    at::Tensor qkv = ops::linear(h, w.qkv, w.qkv_bias, heads.qkv_width());
    if (c.qk_norm) {
      qkv = ops::head_norm(qkv, w.q_norm, w.k_norm, heads.heads, heads.kv_heads, eps);
    }
    qkv = ops::rope(qkv, position, rope_, heads.heads + heads.kv_heads);
    h = context.cache != nullptr
            ? ops::attention_paged(qkv, heads, context.cache->layer(static_cast<std::int64_t>(i)),
                                   context.runs)
            : ops::attention(qkv, heads, context.offset);
    x = at::add(x, ops::linear(h, w.o, w.o_bias, c.hidden_size));

    h = ops::rms_norm(x, w.post_norm, eps);
    h = ops::swiglu(ops::linear(h, w.gate_up, w.gate_up_bias, 2 * c.intermediate_size));
    x = at::add(x, ops::linear(h, w.down, w.down_bias, c.hidden_size));
  }
  return ops::rms_norm(x, weights_.final_norm, eps);
}

at::Tensor Transformer::logits(const at::Tensor& h) {
  const at::NoGradGuard no_grad;
  return ops::linear(h, weights_.lm_head, {}, config_.vocab_size);
}

ops::TokenLogp Transformer::token_logp(const at::Tensor& h, const at::Tensor& target,
                                       const at::Tensor& inv_temperature,
                                       std::shared_ptr<const ops::Support> support) {
  return ops::token_logp(h, weights_.lm_head, config_.vocab_size, target, inv_temperature,
                         std::move(support));
}

}  // namespace qed
