#pragma once

// The stages of a run. Each goes on from run.state() and returns when the steps of the current
// stage are done, or after the step in which `stop` became true; either way all is saved.

#include "core/run/context.h"
#include "core/run/prompts.h"
#include "core/run/task_set.h"
#include "core/train/train_memory.h"

#include <atomic>
#include <vector>

namespace qed {

// What the stage that needs the most memory needs. Throws Error, with numbers, where there is not
// so much.
TrainMemory plan_memory(RunContext& run);

// Supervised: learns a task's demonstrations.
void run_sft_stage(RunContext& run, const std::atomic<bool>& stop);

// What the current sft stage learns from. `run` must outlive it.
struct SftMaterial {
  explicit SftMaterial(RunContext& run);
  TaskSet tasks;  // none where it learns from a file and has no task
  std::vector<Demonstration> demonstrations;
};

// Reinforcement learning: rollout, verify, advantages, updates.
void run_rl_stage(RunContext& run, const std::atomic<bool>& stop);

// Called after each step, `parts` being what the stage has in checkpoints beside the model. Saves
// all when a checkpoint is due, the stage is at its end, or the run is asked to stop. Returns true
// when the stage must return.
bool end_step(RunContext& run, const AdamW& optimizer, const std::atomic<bool>& stop,
              std::span<const CheckpointPart> parts = {});

}  // namespace qed
