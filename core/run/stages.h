#pragma once

// The stages of a run. Each goes on from run.state() and returns when its steps are done, or when
// `stop` becomes true after a step; then a checkpoint of that moment has been written.

#include "core/run/context.h"

#include <atomic>

namespace qed {

enum class StageEnd { kFinished, kStopped };

// Supervised: learns a task's demonstrations.
StageEnd run_sft_stage(RunContext& run, const std::atomic<bool>& stop);

// Reinforcement learning: rollout, verify, advantages, updates.
StageEnd run_rl_stage(RunContext& run, const std::atomic<bool>& stop);

// After a step: writes a checkpoint when one is due, or when the run is asked to stop.
// `optimizer` is null at the end of a stage. Returns true when the stage must return.
bool end_step(RunContext& run, const AdamW& optimizer, const std::atomic<bool>& stop);

}  // namespace qed
