#pragma once

// Batched generation. Sequences share forward passes but not numbers: a completion depends on the
// weights, its prompt, its plan and its key, never on what else is in the batch.

#include "core/model/transformer.h"
#include "core/rollout/draw.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qed {

// A prompt and its completions to be drawn.
struct GenerateRequest {
  std::vector<std::int32_t> prompt;  // at least one token
  struct Sample {
    const DrawPlan* plan;
    std::uint64_t key;  // of the completion's random numbers; the counter is the position in it
  };
  std::vector<Sample> samples;
  std::int64_t max_new_tokens;
};

struct Completion {
  std::vector<std::int32_t> tokens;        // the stop token included
  std::vector<float> behavior_logp;        // [tokens] see DrawPlan::Draw
  std::vector<float> logp;                 // [tokens] of the softmax of the logits themselves
  std::vector<std::int64_t> support_size;  // [tokens]; 0: the whole vocabulary
  std::vector<std::int32_t> support;       // their ids, one after another
  float inv_temperature = 1;
  std::uint32_t finish = 0;  // QED_FINISH_STOP or QED_FINISH_LENGTH
};

// Returns, per request, a completion per sample. `stop_ids` end a completion. At most `max_batch`
// sequences are in flight at a time. Throws Error when a prompt and its budget exceed the model's
// window. Not thread-safe on one model.
std::vector<std::vector<Completion>> generate(Transformer& model,
                                              std::span<const GenerateRequest> requests,
                                              std::span<const std::int32_t> stop_ids,
                                              std::int64_t max_batch);

}  // namespace qed
