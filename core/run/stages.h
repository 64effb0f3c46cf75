#pragma once

// The stages of a run. Each goes on from run.state() and returns when the steps of the current
// stage are done, or after the step in which `stop` became true; either way all is saved.

#include "core/run/context.h"

#include <atomic>

namespace qed {

// Supervised: learns a task's demonstrations.
void run_sft_stage(RunContext& run, const std::atomic<bool>& stop);

// Reinforcement learning: rollout, verify, advantages, updates.
void run_rl_stage(RunContext& run, const std::atomic<bool>& stop);

// Called after each step, `parts` being what the stage has in checkpoints beside the model. Saves
// all when a checkpoint is due, the stage is at its end, or the run is asked to stop. Returns true
// when the stage must return.
bool end_step(RunContext& run, const AdamW& optimizer, const std::atomic<bool>& stop,
              std::span<const CheckpointPart> parts = {});

}  // namespace qed
