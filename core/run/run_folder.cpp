#include "core/run/run_folder.h"

#include "core/config/difference.h"
#include "core/config/resolved.h"
#include "core/util/error.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace qed {

namespace fs = std::filesystem;

namespace {

// Everything that a run wrote; the lock stays.
void clear(const fs::path& folder) {
  for (const char* name :
       {"checkpoints", "metrics.jsonl", "samples.jsonl", "eval.jsonl", "config.toml"}) {
    fs::remove_all(folder / name);
  }
}

}  // namespace

RunFolder::RunFolder(fs::path path, const RunConfig& config, bool fresh) : path_(std::move(path)) {
  std::error_code failed;
  fs::create_directories(path_, failed);
  lock_.fd = ::open((path_ / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_.fd < 0)
    throw Error(cat("cannot write to run folder ", path_.string()), "name another one with --run",
                kExitUsage);
  // A file system without locks is no reason to refuse.
  if (::flock(lock_.fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw Error(cat("another qed is at work in ", path_.string()),
                "wait for it, or name another folder with --run", kExitUsage);
  }
  if (fresh) clear(path_);
  bind(config);
  resumed_from_ = latest_checkpoint(checkpoints());
  if (resumed_from_) state = read_trainer_state(*resumed_from_);
  metrics_ = std::make_unique<AppendFile>(path_ / "metrics.jsonl", state.metrics_bytes);
  samples_ = std::make_unique<AppendFile>(path_ / "samples.jsonl", state.samples_bytes);
  evals_ = std::make_unique<AppendFile>(path_ / "eval.jsonl", state.eval_bytes);
}

RunFolder::Lock::~Lock() {
  if (fd >= 0) ::close(fd);
}

void RunFolder::bind(const RunConfig& config) {
  const fs::path file = path_ / "config.toml";
  const nlohmann::json now = config.to_json();
  if (fs::exists(file)) {
    std::string keys;
    for (const Difference& d : differences(from_toml(read_file(file), file.string()), now)) {
      if (!may_change_on_resume(d.key)) keys += "\n   = " + d.text();
    }
    if (!keys.empty()) {
      throw Error(cat(path_.string(), " belongs to a run with another config", keys),
                  "name another folder with `--run NAME`, or start this one again with --fresh",
                  kExitUsage);
    }
  }
  write_file(file, to_toml(now));
}

void RunFolder::checkpoint(const fs::path& model_config, const fs::path& chat_template,
                           Transformer& model, const AdamW& optimizer, std::int64_t keep,
                           std::span<const CheckpointPart> parts) {
  metrics_->sync();
  samples_->sync();
  evals_->sync();
  state.metrics_bytes = metrics_->length();
  state.samples_bytes = samples_->length();
  state.eval_bytes = evals_->length();
  write_checkpoint(checkpoints(), model_config, chat_template, model, optimizer, state, keep,
                   parts);
}

}  // namespace qed
