#pragma once

// One forward over packed sequences, micro-batch by micro-batch: what scoring and training share.

#include "core/model/transformer.h"
#include "core/ops/select_rows.h"
#include "core/train/packing.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace qed {

// Log-probs and entropies of the completion tokens; differentiable. `recompute`: see
// AttentionContext.
inline ops::TokenLogp token_logp(Transformer& model, const Packed& batch, bool recompute = false) {
  const at::Tensor h =
      model.forward(batch.id, batch.position,
                    {.offset = batch.offset, .prefix = batch.prefix, .recompute = recompute});
  return model.token_logp(ops::select_rows(h, batch.row), batch.target, batch.inv_temperature,
                          batch.support);
}

inline std::span<const float> values(const at::Tensor& t) {
  return {t.const_data_ptr<float>(), static_cast<std::size_t>(t.numel())};
}

// Appends the log-probs, and the entropies where they are wanted, of all completion tokens. No
// gradient.
void append_scores(Transformer& model, std::span<const Sequence> sequences,
                   std::int64_t micro_tokens, std::vector<float>& logp,
                   std::vector<float>* entropy);

}  // namespace qed
