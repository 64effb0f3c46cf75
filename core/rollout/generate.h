#pragma once

// Batched generation. Sequences share forward passes but not numbers: a completion depends on the
// weights, its prompt, its plan and its key, never on what else is in the batch.

#include "core/model/transformer.h"
#include "core/rollout/draw.h"
#include "core/rollout/memory_plan.h"
#include "core/rollout/stop_text.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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
  std::int64_t min_new_tokens = 0;     // no stop id is drawn, no stop string heeded, before them
  std::vector<std::string> stop = {};  // stop strings, none of them empty
  std::string_view text = {};          // of the prompt, for masks
};

struct Completion {
  std::vector<std::int32_t> tokens;        // the stop token included
  std::vector<float> behavior_logp;        // [tokens] see DrawPlan::Draw
  std::vector<float> logp;                 // [tokens] of the softmax of the logits themselves
  std::vector<float> entropy;              // [tokens] see GenerateOptions::keep_entropy; or empty
  std::vector<std::int64_t> support_size;  // [tokens]; 0: the whole vocabulary
  std::vector<std::int32_t> support;       // their ids, one after another
  float inv_temperature = 1;
  std::uint32_t finish = 0;        // QED_FINISH_<reason>; abort: cancelled, perhaps without a token
  std::optional<StopMatch> match;  // the stop string that ended it; its tokens are all kept
};

struct GenerateOptions {
  std::span<const std::int32_t> stop_ids;  // end a completion
  ScheduleOptions schedule = {};           // num_blocks 0: plan_memory's
  LimitNames names = {};                   // for messages
  bool keep_support = true;                // fill Completion::support and support_size
  // Fill Completion::entropy, with that of softmax(logits * inv_temperature): what a training
  // forward finds, to the bit, where no op changes logits.
  bool keep_entropy = false;
  // The bytes of a token, valid until the next call; needed where a request has stop strings.
  std::function<std::string_view(std::int32_t)> token_bytes = {};
  // Constrains tokens, where it is not null; `seed` is that of its calls.
  const Sampler* mask = nullptr;
  std::uint64_t mask_seed = 0;
  // Called for every token, in the thread that generates: the newest token, and `finish`, are set.
  std::function<void(std::size_t request, std::size_t sample, const Completion&)> on_token = {};
  const std::atomic<bool>* cancel = nullptr;  // true: end at the next token
};

// The groups of samples that the scheduler sees.
std::vector<SampleGroup> sample_groups(std::span<const GenerateRequest> requests);

// Returns, per request, a completion per sample. Throws Error when a prompt and its budget exceed
// the model's window, or memory does not suffice. Not thread-safe on one model.
std::vector<std::vector<Completion>> generate(Transformer& model,
                                              std::span<const GenerateRequest> requests,
                                              const GenerateOptions& options);

}  // namespace qed
