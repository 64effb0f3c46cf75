#include "core/model/model_facts.h"

namespace qed {

namespace {

constexpr std::int64_t kPanel = 16;  // rows of a panel: ops::kLanes, without the ops

bool has(const std::string& name, const char* part) { return name.find(part) != name.npos; }

}  // namespace

ParameterCounts count_parameters(const ModelConfig& config) {
  ParameterCounts out;
  for (const TensorSpec& t : checkpoint_tensors(config)) {
    std::int64_t& count = has(t.name, "embed_tokens")  ? out.embedding
                          : has(t.name, ".self_attn.") ? out.attention
                          : has(t.name, ".mlp.")       ? out.mlp
                          : has(t.name, "lm_head")     ? out.output
                                                       : out.norm;
    count += t.numel();
  }
  return out;
}

std::int64_t weights_bytes(const ModelConfig& config, Dtype dtype) {
  std::int64_t bytes = 0;
  for (const TensorSpec& t : checkpoint_tensors(config)) {
    const bool is_matrix = t.shape.size() == 2;
    const std::int64_t rows = (t.shape[0] + kPanel - 1) / kPanel * kPanel;
    bytes += is_matrix ? rows * t.shape[1] * num_bytes(dtype) : rows * num_bytes(Dtype::kFloat32);
  }
  return bytes;
}

std::int64_t kv_bytes_per_token(const ModelConfig& c) {
  return 2 * c.num_hidden_layers * c.kv_width() * num_bytes(Dtype::kFloat32);
}

std::int64_t training_bytes(const ModelConfig& config) {
  return 4 * weights_bytes(config, Dtype::kFloat32);
}

}  // namespace qed
