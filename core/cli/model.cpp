#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/cli/commands.h"
#include "core/model/model_facts.h"
#include "core/model/model_folder.h"
#include "core/util/error.h"
#include "core/util/numbers.h"
#include "core/util/words.h"

namespace qed {
namespace {

using Json = nlohmann::ordered_json;

struct ModelOptions {
  std::string folder;
  bool is_json = false;
};

// Number formats of the weights on disk, the one with the most bytes first.
std::vector<std::string> formats(const ModelFolder& folder) {
  std::map<std::string, std::uint64_t> bytes;
  for (const std::string& name : folder.tensors.tensors()) {
    const TensorEntry& entry = folder.tensors.entry(name);
    const auto dtype = dtype_of_tag(entry.tag);
    bytes[dtype ? std::string(dtype_name(*dtype)) : entry.tag] += entry.end - entry.begin;
  }
  std::vector<std::string> out;
  for (const auto& [format, size] : bytes) out.push_back(format);
  std::sort(out.begin(), out.end(),
            [&](const auto& a, const auto& b) { return bytes[a] > bytes[b]; });
  return out;
}

Json to_json(const ModelFolder& folder) {
  const ModelConfig& c = folder.config;
  const ParameterCounts n = count_parameters(c);
  return {{"path", folder.path.string()},
          {"model_type", c.model_type},
          {"vocab_size", c.vocab_size},
          {"hidden_size", c.hidden_size},
          {"intermediate_size", c.intermediate_size},
          {"num_hidden_layers", c.num_hidden_layers},
          {"num_attention_heads", c.num_attention_heads},
          {"num_key_value_heads", c.num_key_value_heads},
          {"head_dim", c.head_dim},
          {"max_position_embeddings", c.max_position_embeddings},
          {"rope_theta", c.rope_theta},
          {"rope_type", c.rope_scaling.rope_type},
          {"tie_word_embeddings", c.tie_word_embeddings},
          {"parameters",
           {{"total", n.total()},
            {"embedding", n.embedding},
            {"attention", n.attention},
            {"mlp", n.mlp},
            {"norm", n.norm},
            {"output", n.output}}},
          {"dtype", formats(folder)},
          {"file_bytes", folder.tensors.num_bytes()},
          {"num_files", folder.tensors.num_files()},
          {"weights_bytes",
           {{"float32", weights_bytes(c, Dtype::kFloat32)},
            {"bfloat16", weights_bytes(c, Dtype::kBfloat16)}}},
          {"kv_bytes_per_token", kv_bytes_per_token(c)},
          {"training_bytes", training_bytes(c)}};
}

void print(const ModelFolder& folder) {
  const ModelConfig& c = folder.config;
  const ParameterCounts n = count_parameters(c);
  const auto line = [](const char* name, const std::string& text) {
    std::printf("%-12s%s\n", name, text.c_str());
  };
  const auto count = [&](const char* name, std::int64_t parameters) {
    std::printf("  %-12s%15s\n", name, grouped(parameters).c_str());
  };
  line("model", folder.path.string());
  line("family", cat(c.model_type, c.rope_scaling.rope_type == "default"
                                       ? ""
                                       : cat(", ", c.rope_scaling.rope_type, " rope scaling")));
  line("shape", cat(counted(static_cast<std::size_t>(c.num_hidden_layers), "layer"), ", width ",
                    c.hidden_size, ", MLP ", c.intermediate_size, ", vocabulary ", c.vocab_size));
  line("attention", cat(counted(static_cast<std::size_t>(c.num_attention_heads), "head"), " of ",
                        c.head_dim, ", ", c.num_key_value_heads, " of keys and values"));
  line("context", cat(c.max_position_embeddings, " tokens"));
  std::printf("parameters  %17s\n", grouped(n.total()).c_str());
  count("embedding", n.embedding);
  count("attention", n.attention);
  count("mlp", n.mlp);
  count("norms", n.norm);
  if (n.output > 0) count("output", n.output);
  if (n.output == 0) std::printf("  %-12s%15s\n", "output", "the embedding");
  std::string dtypes;
  for (const std::string& format : formats(folder)) {
    dtypes += (dtypes.empty() ? "" : " and ") + format;
  }
  line("on disk", cat(bytes_text(static_cast<std::int64_t>(folder.tensors.num_bytes())), " in ",
                      dtypes, ", ", counted(folder.tensors.num_files(), "file")));
  line("in memory", cat(bytes_text(weights_bytes(c, Dtype::kFloat32)), " in float32, ",
                        bytes_text(weights_bytes(c, Dtype::kBfloat16)), " in bfloat16"));
  line("", cat(bytes_text(kv_bytes_per_token(c)), " per token of context"));
  line("", cat(bytes_text(training_bytes(c)), " to train in float32, without activations"));
}

int model(const ModelOptions& options) {
  const ModelFolder folder = open_model_folder(options.folder);
  if (options.is_json) {
    std::printf("%s\n",
                to_json(folder).dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    print(folder);
  }
  return kExitOk;
}

}  // namespace

Run add_model(CLI::App& app) {
  auto options = std::make_shared<ModelOptions>();  // lives as long as the command line
  CLI::App* command = app.add_subcommand("model", "Shape, parameters and memory of a model");
  command->add_option("MODEL", options->folder, "a Hugging Face folder")->required()->type_name("");
  command->add_flag("--json", options->is_json, "print a JSON object");
  command->footer(
      "Reads config.json and the headers of the weights, and checks that they fit.\n\n"
      "Examples:\n"
      "  qed model runs/quickstart/checkpoints/1040\n"
      "  qed model models/Qwen3-0.6B --json\n");
  return [options] { return model(*options); };
}

}  // namespace qed
