#pragma once

// What an RL step leaves behind: its row in metrics.jsonl, its lines in samples.jsonl, the live
// line.

#include "core/host/algorithm.h"
#include "core/reward/scoring.h"
#include "core/run/context.h"
#include "core/run/prompts.h"
#include "core/train/experience.h"

#include <cstdint>
#include <string>
#include <vector>

namespace qed {

// The completions of one step and what they were made from.
struct Rollout {
  std::int64_t num_dropped_items = 0;  // taken for the prompts, and held out
  std::vector<RenderedPrompt> prompts;
  std::vector<DrawPlan> plans;  // [group_size]
  std::vector<GenerateRequest> requests;
  std::vector<std::vector<Completion>> completions;  // [prompts][group_size]
  std::vector<std::string> texts;                    // of all completions, in order
  Scores scored;
  std::vector<double> reward;  // NaN where scoring failed
};

struct UpdateSummary {
  std::int64_t num_planned = 0, num_done = 0;  // done: those with an advantage
  double loss = 0, grad_norm = 0;              // sums
  MetricSums metrics;                          // of the algorithm
};

// Seconds of the phases of a step.
struct StepTimes {
  double gen = 0, reward = 0, old_log_prob = 0, adv = 0, update_actor = 0, step = 0;
};

void log_step(RunContext& run, const Scorer& scorer, const Rollout& rollout,
              const Experience& experience, const UpdateSummary& updates, const StepTimes& times,
              double lr);

}  // namespace qed
