#pragma once

// The value model of algorithms that ask for one: a transformer of its own whose output layer is
// one row. The value of a token is what the critic expects of the completion just before that
// token.
//
// Schulman et al., "High-Dimensional Continuous Control Using Generalized Advantage Estimation"
// (2016); for language models Ouyang et al., "Training language models to follow instructions"
// (2022), appendix C.4.

#include "core/model/transformer.h"
#include "core/train/experience.h"
#include "core/train/optimizer.h"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace qed {

struct ModelFolder;

class Critic {
 public:
  // With the weights of the policy as it is now, and a head of zeros: all values are 0 at first.
  explicit Critic(Transformer& policy);
  // With those of a folder: of a language model, or of a critic, whose head is `score.weight`.
  explicit Critic(const std::filesystem::path& folder, Dtype dtype = Dtype::kFloat32);

  // [T] Values of all completion tokens; 0 for sequences that are not valid. No gradient.
  std::vector<float> values(const Experience& experience, std::int64_t micro_tokens);

  // [N] Values of the completion tokens of a batch, by model() or one of its tracks;
  // differentiable. `recompute`: see AttentionContext.
  static at::Tensor forward(Transformer& model, const Packed& batch, bool recompute = false);

  Transformer& model() { return model_; }
  AdamW& optimizer() { return optimizer_; }

 private:
  Critic(const ModelFolder& folder, Dtype dtype);

  Transformer model_;
  AdamW optimizer_;
};

}  // namespace qed
