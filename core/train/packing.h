#pragma once

// Sequences laid end to end, without padding, for one forward.

#include "core/ops/token_logp.h"
#include "core/rollout/draw.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace qed {

// A prompt and its completion; borrowed. The support spans may be empty: no token is truncated.
struct Sequence {
  std::span<const std::int32_t> prompt;  // at least one token
  std::span<const std::int32_t> completion;
  std::span<const std::int64_t> support_size = {};  // [completion]
  std::span<const std::int32_t> support = {};
  float inv_temperature = 1;
  const DrawPlan* plan = nullptr;  // that changed logits before the draw; null: none did

  bool shares_prompt_with(const Sequence& other) const {
    return prompt.data() == other.prompt.data() && prompt.size() == other.prompt.size();
  }
  // Rows of a forward, alone: the last token is predicted, never read.
  std::int64_t num_rows() const {
    return static_cast<std::int64_t>(prompt.size() + completion.size()) - 1;
  }
};

// Rows T, completion tokens N. Ids and positions are int64.
struct Packed {
  at::Tensor id, position;           // [T]
  std::vector<std::int64_t> offset;  // [B+1] a shared prompt is a sequence of its own
  std::vector<std::int64_t> prefix;  // [B] the shared prompt that a sequence goes on after, or -1
  at::Tensor row;                    // [N] the row whose hidden state predicts the token
  at::Tensor target;                 // [N]
  at::Tensor inv_temperature;        // [N] float32
  std::shared_ptr<ops::Support> support;
};

// kShared: neighbours with one and the same prompt (the same memory: the completions of a group)
// share its rows, which are computed once. The same bits forward; the forward must get `prefix`.
enum class Prompts { kCopied, kShared };
Packed pack(std::span<const Sequence> sequences, Prompts prompts = Prompts::kCopied);

// Cuts sequences, in order, into runs of at most `max_rows` rows each, prompts shared (a longer one
// stands alone).
// Returns [run+1] indices.
std::vector<std::size_t> micro_batches(std::span<const Sequence> sequences, std::int64_t max_rows);

}  // namespace qed
