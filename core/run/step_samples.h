#pragma once

// The completions of a step as lines for people and tools: samples.jsonl, and failed_step.jsonl of
// a step that a run could not finish.

#include "core/run/context.h"
#include "core/run/scored_groups.h"
#include "core/train/experience.h"
#include "core/util/error.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qed {

struct StepSamples {
  const RunContext& run;
  const std::vector<std::string>& terms;  // the names of Score::terms
  const ScoredGroups& groups;
  const Experience* experience = nullptr;  // null: not made yet, no advantages
};

// Lines of samples.jsonl, of the step at which the run stands, or of the one `steps_ahead`.
std::string sample_lines(const StepSamples& samples, bool with_tokens,
                         std::int64_t steps_ahead = 0);

// The same of the next step's demonstrations: their ids.
std::string demonstration_lines(const RunContext& run, std::span<const Sequence> batch);

// The error of a step that could not be finished: says the step, and where `lines`, its samples,
// are kept: failed_step.jsonl of the run folder, written here.
Error failed_step(const RunContext& run, const Error& error, const std::string& lines);

// Runs a part of a step; what it throws as Error becomes failed_step's.
template <class Body>
auto keep_samples_on_failure(const StepSamples& samples, Body&& body) {
  try {
    return body();
  } catch (const Error& error) {
    throw failed_step(samples.run, error, sample_lines(samples, true, 1));
  }
}

}  // namespace qed
