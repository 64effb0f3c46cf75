#include "core/model/model_folder.h"

#include "core/util/error.h"
#include "core/util/files.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>

namespace qed {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kLayers = "model.layers.";

// The layer that a tensor belongs to.
std::optional<std::int64_t> layer_of(const std::string& name) {
  if (!name.starts_with(kLayers)) return std::nullopt;
  std::int64_t layer = 0;
  std::size_t at = kLayers.size();
  for (; at < name.size() && name[at] >= '0' && name[at] <= '9' && at < kLayers.size() + 9; ++at) {
    layer = 10 * layer + (name[at] - '0');
  }
  const bool is_layer = at > kLayers.size() && at < name.size() && name[at] == '.';
  return is_layer ? std::optional(layer) : std::nullopt;
}

// Tensors that some files have and no model needs: a tied model's copy of its embedding, and the
// frequencies that older versions of transformers saved with each layer.
bool changes_nothing(const std::string& name, const ModelConfig& c) {
  return (c.tie_word_embeddings && name == "lm_head.weight") ||
         name.ends_with(".self_attn.rotary_emb.inv_freq");
}

// The mistakes that have a better explanation than the first tensor that is missing.
void check_plan(const ModelFolder& folder) {
  const ModelConfig& c = folder.config;
  std::int64_t layers = 0;
  for (const std::string& name : folder.tensors.tensors()) {
    if (const auto layer = layer_of(name)) layers = std::max(layers, *layer + 1);
  }
  const std::string config = (folder.path / "config.json").string();
  if (layers != c.num_hidden_layers) {
    throw Error(cat("`num_hidden_layers` is ", c.num_hidden_layers, " in ", config, ", but ",
                    folder.tensors.name(), " has weights of ", layers));
  }
  if (!c.value_head && !c.tie_word_embeddings && !folder.tensors.contains("lm_head.weight")) {
    throw Error(cat(folder.tensors.name(), " has no tensor `lm_head.weight`"),
                cat("a model without one has `tie_word_embeddings` true in ", config));
  }
}

void check_tensors(const ModelFolder& folder) {
  check_plan(folder);
  std::vector<TensorSpec> expected = checkpoint_tensors(folder.config);
  for (const std::string& name : folder.tensors.tensors()) {
    if (changes_nothing(name, folder.config)) {
      expected.push_back({name, folder.tensors.entry(name).shape});
    }
  }
  folder.tensors.check(expected);
}

// A copy of config.json that, where it names the format of the weights, names this one.
void write_config(const fs::path& from, const fs::path& to, Dtype dtype) {
  const std::string text = read_file(from);
  auto object = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!object.is_object()) throw Error(cat(from.string(), " is not a JSON object"));
  bool has_changed = false;
  for (const char* key : {"dtype", "torch_dtype"}) {  // the newer name and the older one
    if (!object.contains(key) || object[key] == dtype_name(dtype)) continue;
    object[key] = dtype_name(dtype);
    has_changed = true;
  }
  write_file(to, has_changed ? object.dump(2) + "\n" : text);
}

// Where each file's tensors begin in the list, and its end.
std::vector<std::size_t> cut(std::span<const TensorSpec> tensors, Dtype dtype, std::int64_t most) {
  std::vector<std::size_t> out = {0};
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::int64_t size = tensors[i].numel() * num_bytes(dtype);
    if (bytes > 0 && bytes + size > most) {
      out.push_back(i);
      bytes = 0;
    }
    bytes += size;
  }
  out.push_back(tensors.size());
  return out;
}

std::string shard_name(std::size_t i, std::size_t count) {
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, count);
  return name;
}

}  // namespace

ModelFolder open_model_folder(const fs::path& path, bool may_be_critic) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    throw Error(cat("no model in ", path.string(), ": there is no such folder"), "", kExitUsage);
  }
  if (!fs::exists(path / "config.json", ignored)) {
    throw Error(cat("no model in ", path.string(), ": it has no config.json"),
                "give a Hugging Face folder", kExitUsage);
  }
  ModelFolder folder{path, read_model_config(path / "config.json"), TensorSet::open_folder(path)};
  folder.config.value_head = may_be_critic && folder.tensors.contains("score.weight");
  check_tensors(folder);
  return folder;
}

void check_vocabulary(const fs::path& folder, const ModelConfig& config,
                      std::int64_t tokenizer_size) {
  if (tokenizer_size > config.vocab_size) {
    throw Error(cat("the tokenizer in ", folder.string(), " has ", tokenizer_size,
                    " tokens, but the model's vocabulary is ", config.vocab_size),
                "tokenizer and weights must come from the same model");
  }
}

void write_model_folder(const fs::path& folder, const fs::path& config_file,
                        std::span<const TensorSpec> tensors, Dtype dtype, const RowSource& rows,
                        std::int64_t max_shard_bytes) {
  write_config(config_file, folder / "config.json", dtype);
  const std::vector<std::size_t> begin = cut(tensors, dtype, max_shard_bytes);
  const std::size_t count = begin.size() - 1;
  nlohmann::ordered_json index;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = count == 1 ? "model.safetensors" : shard_name(i, count);
    const auto part = tensors.subspan(begin[i], begin[i + 1] - begin[i]);
    write_safetensors(folder / name, part, dtype,
                      [&](std::size_t at, std::int64_t row, std::int64_t num_rows, float* out) {
                        rows(begin[i] + at, row, num_rows, out);
                      });
    for (const TensorSpec& t : part) {
      index["weight_map"][t.name] = name;
      total += t.numel() * num_bytes(dtype);
    }
  }
  if (count == 1) return;
  index["metadata"]["total_size"] = total;
  write_file(folder / "model.safetensors.index.json", index.dump(2) + "\n");
}

}  // namespace qed
