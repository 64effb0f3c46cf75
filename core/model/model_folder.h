#pragma once

// A Hugging Face model folder: config.json and weights that fit it, opened, and written back so
// that transformers loads it.

#include "core/model/config.h"
#include "core/model/tensor_set.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace qed {

struct ModelFolder {
  std::filesystem::path path;
  ModelConfig config;
  TensorSet tensors;  // those of checkpoint_tensors(config), and perhaps some that change nothing
};

// Reads config.json and the headers of the weights, and checks that the two fit. With
// `may_be_critic` a folder that has a value head is one, and its config says so. Throws Error with
// the file and the key or tensor.
ModelFolder open_model_folder(const std::filesystem::path& path, bool may_be_critic = false);

// Throws Error when a tokenizer has more tokens than the model has rows for.
void check_vocabulary(const std::filesystem::path& folder, const ModelConfig& config,
                      std::int64_t tokenizer_size);

// The largest file of weights; a model that is larger is cut into several, as transformers does.
inline constexpr std::int64_t kMaxShardBytes = 5'000'000'000;

// Writes weights and config.json into a folder that exists. `config_file` is copied; only the key
// that tells the format of the weights is set to `dtype`. Tensors are never split between files.
void write_model_folder(const std::filesystem::path& folder,
                        const std::filesystem::path& config_file,
                        std::span<const TensorSpec> tensors, Dtype dtype, const RowSource& rows,
                        std::int64_t max_shard_bytes = kMaxShardBytes);

}  // namespace qed
