#include "core/run/engine.h"

#include "core/ops/cpu_kernels.h"
#include "core/run/context.h"
#include "core/run/stages.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include <csignal>
#include <cstdio>

namespace qed {

namespace {

std::atomic<bool> stop_requested{false};

// The first signal asks for a stop after the step; the second one ends the process.
void on_signal(int signal) {
  if (stop_requested.exchange(true)) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

std::string seconds(double s) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", s);
  return text;
}

void say_what_runs(RunContext& run) {
  const ModelConfig& c = run.model.config();
  run.live.milestone(cat("model     qwen2, ", run.model.weights().num_parameters(), " parameters, ",
                         c.num_hidden_layers, " layers, vocabulary ", c.vocab_size, ", float32 on cpu (",
                         ops::cpu_kernels().isa, ")"));
  for (const Stage& s : run.config.stages) {
    const std::string rl = s.kind == "rl" ? cat(", algorithm ", s.algorithm.name, ", sampler ", s.sampler.name) : "";
    run.live.milestone(cat("stage     ", s.kind, ", ", s.steps, " steps, task ", s.task.name, rl));
  }
  run.live.milestone(cat("folder    ", run.folder.path().string()));
  if (run.folder.resumed_from()) {
    run.live.milestone(cat("resuming  from ", run.folder.resumed_from()->string()));
  }
}

void say_what_is_next(const RunContext& run) {
  const std::string folder = run.folder.path().string();
  std::fprintf(stderr, "\nmodel    %s/checkpoints/%lld\nmetrics  %s/metrics.jsonl\nsamples  %s/samples.jsonl\n",
               folder.c_str(), static_cast<long long>(run.folder.state.global_step), folder.c_str(), folder.c_str());
  std::fprintf(stderr, "next     qed train %s --set algorithm.name=reinforce_pp\n", run.config.file.c_str());
}

int run_all(const TrainRequest& request) {
  RunContext run(request);
  const auto num_stages = static_cast<std::int64_t>(run.config.stages.size());
  if (run.state().stage >= num_stages) {
    run.live.milestone(cat(run.folder.path().string(), " is finished; --fresh starts it again"));
    say_what_is_next(run);
    return kExitOk;
  }
  say_what_runs(run);
  const Stopwatch watch;
  while (run.state().stage < num_stages) {
    const StageEnd end = run.stage().kind == "sft" ? run_sft_stage(run, stop_requested) : run_rl_stage(run, stop_requested);
    if (end == StageEnd::kStopped) {
      run.live.clear();
      std::fprintf(stderr, "stopped after step %lld, all saved; to go on:  %s\n",
                   static_cast<long long>(run.state().global_step), request.command.c_str());
      return kExitInterrupted;
    }
  }
  run.live.milestone(cat("done in ", seconds(watch.seconds())));
  run.live.clear();
  say_what_is_next(run);
  return kExitOk;
}

}  // namespace

void RunContext::report_first_update() {
  if (has_updated_) return;
  has_updated_ = true;
  live.milestone(cat("first update ", seconds(seconds_since_start()), " after the command"));
}

bool end_step(RunContext& run, const AdamW& optimizer, const std::atomic<bool>& stop) {
  TrainerState& state = run.state();
  const Stage& stage = run.stage();
  const bool is_last = state.stage_step == stage.steps;
  const bool is_due = stage.checkpoint.every > 0 && state.stage_step % stage.checkpoint.every == 0;
  if (is_last) {  // the next stage starts with an optimizer and a data order of its own
    ++state.stage;
    state.stage_step = 0;
    state.data_cursor = 0;
  }
  if (is_last || is_due || stop) {
    run.folder.checkpoint(run.model_config, run.model, is_last ? nullptr : &optimizer, stage.checkpoint.keep);
  }
  return is_last || stop;
}

}  // namespace qed

extern "C" __attribute__((visibility("default"))) int qed_engine_train(const qed::TrainRequest& request) {
  qed::stop_requested = false;
  std::signal(SIGINT, qed::on_signal);
  std::signal(SIGTERM, qed::on_signal);
  return qed::run_all(request);
}
