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
  float* flat = weights.flat().data_ptr<float>();
  Rng rng(seed);
  for (LayerWeights& layer : weights.layers) {
    for (at::Tensor* t : {&layer.input_norm, &layer.post_norm, &layer.qkv_bias}) {
      const std::int64_t n = t == &layer.qkv_bias ? (4 + 2 * 2) * 8 : t->numel();
      float* x = flat + (t->const_data_ptr<float>() - flat);
      for (std::int64_t i = 0; i < n; ++i) x[i] += static_cast<float>(0.4 * rng.real() - 0.2);
    }
  }
}

// A folder that is empty at first and gone afterwards.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(testing::TempDir()) /
            cat("qed_", info->test_suite_name(), "_", info->name());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace qed
