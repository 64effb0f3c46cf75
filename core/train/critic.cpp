#include "core/train/critic.h"

#include "core/model/model_folder.h"
#include "core/ops/select_rows.h"
#include "core/train/tracks.h"

#include <ATen/core/grad_mode.h>

namespace qed {

namespace {

ModelConfig with_value_head(ModelConfig config) {
  config.value_head = true;
  return config;
}

}  // namespace

Critic::Critic(Transformer& policy)
    : model_(with_value_head(policy.config()), {.dtype = policy.weights().options().dtype}),
      optimizer_(model_.weights()) {
  model_.weights().assign(policy.weights());
}

Critic::Critic(const std::filesystem::path& folder, Dtype dtype)
    : Critic(open_model_folder(folder, true), dtype) {}

Critic::Critic(const ModelFolder& folder, Dtype dtype)
    : model_(with_value_head(folder.config), {.dtype = dtype}), optimizer_(model_.weights()) {
  if (folder.config.value_head) {
    model_.weights().load(folder.tensors);
    return;
  }
  Transformer body(folder.config, {.is_trainable = false});
  body.weights().load(folder.tensors);
  model_.weights().assign(body.weights());
}

at::Tensor Critic::forward(Transformer& model, const Packed& batch, bool recompute) {
  const at::Tensor h =
      model.forward(batch.id, batch.position,
                    {.offset = batch.offset, .prefix = batch.prefix, .recompute = recompute});
  return model.values(ops::select_rows(h, batch.row));
}

std::vector<float> Critic::values(const Experience& e, std::int64_t micro_tokens) {
  const at::NoGradGuard no_grad;
  std::vector<std::size_t> valid;
  std::vector<Sequence> sequences;
  for (std::size_t b = 0; b < e.num_seqs(); ++b) {
    if (e.valid[b] == 0) continue;
    valid.push_back(b);
    sequences.push_back(e.sequences[b]);
  }
  std::vector<float> out(e.num_tokens(), 0.0f);
  if (sequences.empty()) return out;
  const std::vector<std::size_t> cut = track_batches(model_, sequences, micro_tokens);
  std::vector<at::Tensor> found(cut.size() - 1);
  const auto forward = [&](std::size_t i) {
    const auto part = std::span(sequences).subspan(cut[i], cut[i + 1] - cut[i]);
    found[i] = Critic::forward(model_, pack(part, Prompts::kShared));
  };
  const auto place = [&](std::size_t i) {
    const float* next = found[i].const_data_ptr<float>();
    for (std::size_t s = cut[i]; s < cut[i + 1]; ++s) {
      const std::size_t n = sequences[s].completion.size();
      std::copy_n(next, n, out.begin() + static_cast<std::ptrdiff_t>(e.offset[valid[s]]));
      next += n;
    }
    found[i] = at::Tensor();
  };
  run_tracks(model_, found.size(), {forward, place});
  return out;
}

}  // namespace qed
