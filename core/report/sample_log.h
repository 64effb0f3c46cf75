#pragma once

// Lines of samples.jsonl: one per completion that was trained on, with where it came from.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qed {

struct SampleRecord {
  std::int64_t global_step, stage_step, group, sample, turn = 0;
  std::uint64_t seed = 0;                           // of the completion's random numbers
  std::string_view task, item, prompt, completion;  // text that is not UTF-8 is mended with U+FFFD
  std::string_view finish;                          // "stop" or "length"
  std::int64_t num_tokens;
  double reward;             // NaN: scoring failed
  std::string_view verdict;  // "right", "wrong" or "none"
  std::vector<std::pair<std::string_view, float>> terms;
  double advantage;  // mean over its tokens
  std::string_view note;
  // On request; empty: left out. Ids of the prompt and of the completion, log-probs of the latter.
  std::span<const std::int32_t> prompt_ids = {}, completion_ids = {};
  std::span<const float> logp = {};           // under the model that drew it, at temperature 1
  std::span<const float> behavior_logp = {};  // under the distribution that it was drawn from
};

std::string sample_line(const SampleRecord& record);

}  // namespace qed
