#pragma once

// What the tests of models, rollout, training and runs share: a small model, and folders of their
// own.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/model/transformer.h"
#include "core/util/error.h"
#include "core/util/files.h"
#include "qed/philox.h"
#include "tests/model/tensor_file.h"

namespace qed {

// Vocabulary 21, two layers, four heads that share two of keys; no size but the heads' is a
// multiple of 16.
inline ModelConfig tiny_config(bool is_tied = true) {
  ModelConfig c;
  c.vocab_size = 21;
  c.hidden_size = 24;
  c.intermediate_size = 40;
  c.num_hidden_layers = 2;
  c.num_attention_heads = 4;
  c.num_key_value_heads = 2;
  c.head_dim = 8;
  c.max_position_embeddings = 64;
  c.rms_norm_eps = 1e-6;
  c.rope_theta = 1e4;
  c.initializer_range = 0.12;  // no token is nearly sure, none nearly out of reach
  c.tie_word_embeddings = is_tied;
  return c;
}

// Every weight random, biases and norms too.
inline void randomise(Weights& weights, std::uint64_t seed) {
  weights.init(seed);
  Rng rng(seed);
  const auto shake = [&](const at::Tensor& t, std::int64_t n) {
    if (!t.defined()) return;
    float* x = static_cast<float*>(t.data_ptr());
    for (std::int64_t i = 0; i < n; ++i) x[i] += static_cast<float>(0.4 * rng.real() - 0.2);
  };
  for (LayerWeights& layer : weights.layers) {
    for (const at::Tensor& t : {layer.input_norm, layer.post_norm}) shake(t, t.numel());
    shake(layer.qkv_bias, (4 + 2 * 2) * 8);  // what follows is padding
    for (const at::Tensor& t : {layer.q_norm, layer.k_norm}) shake(t, 8);
    for (const at::Tensor& t : {layer.o_bias, layer.down_bias}) shake(t, 24);
    shake(layer.gate_up_bias, 2 * 40);
  }
}

// A flat buffer in the layout of these weights, as a checkpoint has it.
inline std::vector<NamedTensor> to_tensors(const Weights& weights, const at::Tensor& flat) {
  const RowSource rows = weights.rows(flat);
  std::vector<NamedTensor> out;
  for (std::size_t i = 0; i < weights.tensors().size(); ++i) {
    const TensorSpec& spec = weights.tensors()[i];
    out.push_back(
        {spec.name, spec.shape, std::vector<float>(static_cast<std::size_t>(spec.numel()))});
    rows(i, 0, spec.rows(), out.back().data.data());
  }
  return out;
}

}  // namespace qed
