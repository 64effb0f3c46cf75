#include "core/run/engine.h"

#include "core/ops/cpu_kernels.h"
#include "core/run/context.h"
#include "core/run/engine_call.h"
#include "core/run/interrupt.h"
#include "core/run/stages.h"
#include "core/train/train_memory.h"
#include "core/util/clock.h"
#include "core/util/error.h"
#include "core/util/memory.h"

#include <cstdio>

namespace qed {

namespace {

std::string seconds(double s) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", s);
  return text;
}

// "task sums", "tasks sums 2, words 1": with their weights.
std::string task_names(const Stage& stage) {
  if (stage.tasks.size() == 1) return cat("task ", stage.tasks.front().label);
  std::string out = "tasks ";
  for (const TaskTable& t : stage.tasks) {
    char weight[32];
    std::snprintf(weight, sizeof weight, " %g", t.weight);
    out += cat(&t == &stage.tasks.front() ? "" : ", ", t.label, weight);
  }
  return out;
}

// Of the stage that needs the most; the weights are in memory already.
TrainMemory plan_memory(RunContext& run) {
  TrainMemory most;
  for (const Stage& s : run.config.stages) {
    const TrainMemory plan =
        plan_training(run.model.config(), run.model.weights().flat().numel(), s);
    if (plan.total_bytes() > most.total_bytes()) most = plan;
  }
  check_memory(most, available_memory_bytes() + most.weights_bytes);
  return most;
}

void say_what_runs(RunContext& run) {
  const ModelConfig& c = run.model.config();
  run.live.milestone(cat("model     ", c.model_type, ", ", run.model.weights().num_parameters(),
                         " parameters, ", c.num_hidden_layers, " layers, vocabulary ", c.vocab_size,
                         ", float32 on cpu (", ops::cpu_kernels().isa, ")"));
  for (const Stage& s : run.config.stages) {
    const std::string rl =
        s.kind == "rl" ? cat(", algorithm ", s.algorithm.name, ", sampler ", s.sampler.name) : "";
    const std::string source = s.data.empty() ? task_names(s) : cat("data ", s.data);
    run.live.milestone(cat("stage     ", s.kind, ", ", s.steps, " steps, ", source, rl));
  }
  run.live.milestone(cat("memory    at most ", plan_memory(run).text()));
  run.live.milestone(cat("folder    ", run.folder.path().string()));
  if (run.folder.resumed_from()) {
    run.live.milestone(cat("resuming  from ", run.folder.resumed_from()->string()));
  }
}

void say_what_is_next(const RunContext& run, const std::string& program) {
  const std::string folder = run.folder.path().string();
  std::fprintf(
      stderr,
      "\nmodel    %s/checkpoints/%lld\nmetrics  %s/metrics.jsonl\nsamples  %s/samples.jsonl\n",
      folder.c_str(), static_cast<long long>(run.folder.state.global_step), folder.c_str(),
      folder.c_str());
  const std::string& algorithm = run.config.stages.back().algorithm.name;
  if (algorithm.empty()) return;  // the last stage is supervised
  std::fprintf(stderr, "next     %s train %s --set algorithm.name=%s\n", program.c_str(),
               run.config.file.c_str(), algorithm == "grpo" ? "reinforce_pp" : "grpo");
}

// Moves on to the next stage where the current one is done. Returns false when there is none.
bool advance(RunContext& run) {
  TrainerState& state = run.state();
  while (state.stage_step >= run.stage().steps) {
    if (state.stage + 1 == static_cast<std::int64_t>(run.config.stages.size())) return false;
    ++state.stage;
    state.stage_step = 0;
    state.data.clear();
  }
  return true;
}

int run_all(const TrainRequest& request) {
  const std::atomic<bool>& stop_requested = catch_interrupts();
  request.plugins.add_service(kThreadsService, threads_service());  // one pool for all
  RunContext run(request);
  const Stopwatch watch;
  if (!advance(run)) {
    run.live.milestone(cat(run.folder.path().string(), " is finished; --fresh starts it again"));
    say_what_is_next(run, request.program);
    return kExitOk;
  }
  say_what_runs(run);
  do {
    run.stage().kind == "sft" ? run_sft_stage(run, stop_requested)
                              : run_rl_stage(run, stop_requested);
    if (stop_requested) {
      run.live.clear();
      std::fprintf(stderr, "stopped after step %lld, all saved; to go on:  %s\n",
                   static_cast<long long>(run.state().global_step), request.command.c_str());
      return kExitInterrupted;
    }
  } while (advance(run));
  run.live.milestone(cat("done in ", seconds(watch.seconds())));
  run.live.clear();
  say_what_is_next(run, request.program);
  return kExitOk;
}

}  // namespace

void RunContext::report_first_update() {
  if (has_updated_) return;
  has_updated_ = true;
  live.milestone(cat("first update ", seconds(seconds_since_start()), " after the command"));
}

bool end_step(RunContext& run, const AdamW& optimizer, const std::atomic<bool>& stop,
              std::span<const CheckpointPart> parts) {
  const Stage& stage = run.stage();
  const std::int64_t step = run.state().stage_step, every = stage.checkpoint.every;
  const bool must_return = step == stage.steps || stop;
  if (must_return || (every > 0 && step % every == 0)) {
    run.folder.checkpoint(run.model_config, run.config.model.chat_template, run.model, optimizer,
                          stage.checkpoint.keep, parts);
  }
  return must_return;
}

}  // namespace qed

extern "C" __attribute__((visibility("default"))) int qed_engine_train(
    const qed::TrainRequest& request) {
  return qed::engine_call([&] { return qed::run_all(request); });
}
