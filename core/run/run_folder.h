#pragma once

// runs/<name>/: the resolved config that the folder is bound to, the logs, the checkpoints. One
// process at a time works in a run folder.

#include "core/config/run_config.h"
#include "core/report/metrics.h"
#include "core/run/checkpoint.h"
#include "core/util/files.h"

#include <filesystem>
#include <memory>
#include <optional>

namespace qed {

class RunFolder {
 public:
  // Creates the folder, or opens it to go on. Throws Error with exit code 2 when it is bound to
  // another config, naming the keys that differ, or when another process works in it. A folder is
  // bound from its first row or checkpoint on. `fresh` deletes what is there first.
  RunFolder(std::filesystem::path path, const RunConfig& config, bool fresh);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // Throws Error with exit code 2 when there is a run folder that is bound to another config.
  static void check_bound(const std::filesystem::path& path, const RunConfig& config);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  const std::optional<std::filesystem::path>& resumed_from() const { return resumed_from_; }

  TrainerState state;  // where the run stands; from the newest checkpoint, or the start
  // The logs are cut back to where that checkpoint was made.
  std::filesystem::path metrics_file() const { return path_ / "metrics.jsonl"; }
  AppendFile& samples() { return *samples_; }
  AppendFile& evals() { return *evals_; }

  // Adds a row to metrics.jsonl and to TensorBoard's event file. Where it is an evaluation, its
  // first metric becomes state.eval.
  void write(const MetricsRow& row);

  // Makes the logs durable and writes a checkpoint of this moment.
  void checkpoint(const std::filesystem::path& model_config,
                  const std::filesystem::path& chat_template, Transformer& model,
                  const AdamW& optimizer, const CheckpointTable& keep,
                  std::span<const CheckpointPart> parts = {});

 private:
  // The open lock file; closed also when the constructor throws.
  struct Lock {
    ~Lock();
    int fd = -1;
  };

  std::filesystem::path path_;
  Lock lock_;
  std::optional<std::filesystem::path> resumed_from_;
  std::unique_ptr<AppendFile> metrics_, samples_, evals_, events_;
};

}  // namespace qed
