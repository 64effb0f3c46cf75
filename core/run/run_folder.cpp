#include "core/run/run_folder.h"

#include "core/config/difference.h"
#include "core/config/resolved.h"
#include "core/report/event_file.h"
#include "core/util/error.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>

namespace qed {

namespace fs = std::filesystem;

namespace {

constexpr char kEventFile[] = "events.out.tfevents.qed";  // TensorBoard looks for "tfevents"

double wall_time_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Everything that a run wrote; the lock stays.
void clear(const fs::path& folder) {
  for (const char* name : {"checkpoints", "metrics.jsonl", "samples.jsonl", "eval.jsonl",
                           kEventFile, "report.html", "failed_step.jsonl", "config.toml"}) {
    fs::remove_all(folder / name);
  }
}

// Nothing was done in the folder that a run could go on from, or lose.
bool is_untouched(const fs::path& folder) {
  const fs::path metrics = folder / "metrics.jsonl";
  return !latest_checkpoint(folder / "checkpoints") &&
         (!fs::exists(metrics) || fs::file_size(metrics) == 0);
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
  check_bound(path_, config);
  write_file(path_ / "config.toml", to_toml(config.to_json()));
  resumed_from_ = latest_checkpoint(checkpoints());
  if (resumed_from_) state = read_trainer_state(*resumed_from_);
  metrics_ = std::make_unique<AppendFile>(metrics_file(), state.metrics_bytes);
  samples_ = std::make_unique<AppendFile>(path_ / "samples.jsonl", state.samples_bytes);
  evals_ = std::make_unique<AppendFile>(path_ / "eval.jsonl", state.eval_bytes);
  events_ = std::make_unique<AppendFile>(path_ / kEventFile, state.events_bytes);
  if (state.events_bytes == 0) events_->append(event_file_head(wall_time_s()));
}

RunFolder::Lock::~Lock() {
  if (fd >= 0) ::close(fd);
}

void RunFolder::check_bound(const fs::path& path, const RunConfig& config) {
  const fs::path file = path / "config.toml";
  if (!fs::exists(file) || is_untouched(path)) return;
  std::string keys;
  for (const Difference& d :
       differences(from_toml(read_file(file), file.string()), config.to_json())) {
    if (!may_change_on_resume(d.key)) keys += "\n   = " + d.text();
  }
  if (!keys.empty()) {
    throw Error(cat(path.string(), " belongs to a run with another config", keys),
                "name another folder with `--run NAME`, or start this one again with --fresh",
                kExitUsage);
  }
}

void RunFolder::write(const MetricsRow& row) {
  metrics_->append(row.line());
  events_->append(event_record(wall_time_s(), state.global_step, row.numbers()));
  for (const auto& [name, value] : row.numbers()) {
    if (!name.starts_with("val-core/") || !std::isfinite(value)) continue;
    state.eval = {name, value, state.global_step};
    break;
  }
}

void RunFolder::checkpoint(const fs::path& model_config, const fs::path& chat_template,
                           Transformer& model, const AdamW& optimizer, const CheckpointTable& keep,
                           std::span<const CheckpointPart> parts) {
  metrics_->sync();
  samples_->sync();
  evals_->sync();
  events_->sync();
  state.metrics_bytes = metrics_->length();
  state.samples_bytes = samples_->length();
  state.eval_bytes = evals_->length();
  state.events_bytes = events_->length();
  write_checkpoint(checkpoints(), model_config, chat_template, model, optimizer, state, keep,
                   parts);
}

}  // namespace qed
