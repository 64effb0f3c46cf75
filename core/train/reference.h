#pragma once

// The frozen copy of a policy that KL is measured against.

#include "core/model/transformer.h"
#include "core/train/experience.h"

#include <cstdint>
#include <vector>

namespace qed {

class Reference {
 public:
  explicit Reference(Transformer& policy);  // as the policy is now

  void sync(Transformer& policy);

  // [T] Log-probs over the full tempered distribution, whatever the sampler kept; 0 for sequences
  // that are not valid.
  std::vector<float> logp(const Experience& experience, std::int64_t micro_tokens);

  Transformer& model() { return model_; }

 private:
  Transformer model_;
};

}  // namespace qed
