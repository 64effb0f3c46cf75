#pragma once

// What an RL step leaves behind: its row in metrics.jsonl, its lines in samples.jsonl, the live
// line.

#include "core/run/rl_rollout.h"
#include "core/run/rl_update.h"

namespace qed {

// `step_s`: seconds of the whole step.
void log_step(RunContext& run, const std::vector<std::string>& terms, const Rollout& rollout,
              const Experience& experience, const UpdateSummary& updates, double step_s, double lr);

}  // namespace qed
