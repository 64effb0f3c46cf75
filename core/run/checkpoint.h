#pragma once

// Checkpoints: Hugging Face folders plus the trainer's state. One is complete when its DONE file
// exists; each appears by one rename, so a kill at any moment leaves the older ones as they were.

#include "core/config/run_config.h"
#include "core/model/transformer.h"
#include "core/train/optimizer.h"
#include "core/util/error.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace qed {

// What an evaluation found: its first metric, and the global step at which it was made.
struct EvalScore {
  std::string metric;  // empty: none yet
  double value = 0;
  std::int64_t global_step = 0;
};

// Where a run stands between two steps. Stages count from 0.
struct TrainerState {
  std::int64_t stage = 0;            // the current stage
  std::int64_t stage_step = 0;       // steps of it that are done; all of them at its end
  std::int64_t global_step = 0;      // steps done in all stages
  std::string data;                  // of the stage's Mixture; empty: its beginning
  std::int64_t optimizer_steps = 0;  // AdamW's t
  std::int64_t critic_steps = 0;     // likewise of the critic's
  double kl_coef = 0;                // [kl] coef as it has adapted
  std::uint64_t metrics_bytes = 0;   // length of metrics.jsonl
  std::uint64_t samples_bytes = 0;   // length of samples.jsonl
  std::uint64_t eval_bytes = 0;      // length of eval.jsonl
  std::uint64_t events_bytes = 0;    // length of TensorBoard's event file
  EvalScore eval = {};               // the newest
};

// A folder inside a checkpoint, beside the model's own files.
struct CheckpointPart {
  std::string name;                                                // "reference"
  std::function<void(const std::filesystem::path& folder)> write;  // into the folder, which exists
};

// The newest complete checkpoint below `folder`; nothing when there is none.
std::optional<std::filesystem::path> latest_checkpoint(const std::filesystem::path& folder);

// Throws damaged_checkpoint's Error.
TrainerState read_trainer_state(const std::filesystem::path& checkpoint);

// The error of a checkpoint that cannot be read because of `why`: says what to delete, and where
// the run goes on then.
Error damaged_checkpoint(const std::filesystem::path& checkpoint, const Error& why);

// The complete checkpoint with the highest score of an evaluation that was made at its step, by the
// metric of the newest such; of equals the newest. Nothing when none was evaluated.
std::optional<std::filesystem::path> best_checkpoint(const std::filesystem::path& folder);

// Writes checkpoint <folder>/<global_step>, then deletes all but those that `keep` asks for, and
// what killed runs left half written. When it throws, it leaves nothing half written.
// `model_config` and the tokenizer's files beside it are copied; where `chat_template` is not
// empty, that file is the checkpoint's chat_template.jinja. On disk when it returns.
void write_checkpoint(const std::filesystem::path& folder,
                      const std::filesystem::path& model_config,
                      const std::filesystem::path& chat_template, Transformer& model,
                      const AdamW& optimizer, const TrainerState& state,
                      const CheckpointTable& keep, std::span<const CheckpointPart> parts = {});

// Writes a model alone: a Hugging Face folder without a tokenizer, in the model's dtype. One that
// is trained in bfloat16 has its float32 weights beside it, in master.safetensors.
void write_weights(const std::filesystem::path& folder, const std::filesystem::path& model_config,
                   Transformer& model);

// Restore what write_checkpoint wrote; the second throws damaged_checkpoint's Error.
void read_weights(const std::filesystem::path& folder, Transformer& model);
void read_optimizer(const std::filesystem::path& checkpoint, AdamW& optimizer);

}  // namespace qed
