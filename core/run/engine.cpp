#include "core/run/engine.h"

#include "core/host/algorithm.h"
#include "core/model/model_folder.h"
#include "core/ops/cpu_kernels.h"
#include "core/ops/device.h"
#include "core/report/report_page.h"
#include "core/run/context.h"
#include "core/run/dry_run.h"
#include "core/run/engine_call.h"
#include "core/run/interrupt.h"
#include "core/run/stages.h"
#include "core/train/train_memory.h"
#include "core/util/clock.h"
#include "core/util/error.h"

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

std::string device_text() {
  if (ops::device() != nullptr) return ops::device()->name();
  return cat("cpu (", ops::cpu_kernels().isa, ")");
}

void say_what_runs(RunContext& run) {
  const ModelConfig& c = run.model.config();
  run.live.milestone(cat("model     ", c.model_type, ", ", run.model.weights().num_parameters(),
                         " parameters, ", c.num_hidden_layers, " layers, vocabulary ", c.vocab_size,
                         ", ", run.config.model.dtype, " on ", device_text()));
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
  std::fprintf(stderr, "\nmodel    %s/checkpoints/%lld\n", folder.c_str(),
               static_cast<long long>(run.folder.state.global_step));
  if (const auto best = best_checkpoint(run.folder.checkpoints())) {
    const EvalScore eval = read_trainer_state(*best).eval;
    std::fprintf(stderr, "best     %s  (%s %.3f)\n", best->c_str(), eval.metric.c_str(),
                 eval.value);
  }
  std::fprintf(stderr,
               "metrics  %s/metrics.jsonl\nsamples  %s/samples.jsonl\nreport   %s/report.html\n",
               folder.c_str(), folder.c_str(), folder.c_str());
  const std::string& algorithm = run.config.stages.back().algorithm.name;
  if (algorithm.empty()) return;  // the last stage is supervised
  std::fprintf(stderr, "next     %s train %s --set algorithm.name=%s\n", program.c_str(),
               run.config.file.c_str(), algorithm == "grpo" ? "reinforce_pp" : "grpo");
}

TrainedModels models_of(RunContext& run, const Stage& s) {
  TrainedModels out{.policy = run.model.config(), .dtype = run.model.weights().options().dtype};
  if (s.kind != "rl") return out;
  const Algorithm algorithm(run.component("algorithm", s.algorithm.name),
                            s.algorithm.options.dump(), run.plugins.abi());
  out.has_reference = s.kl.coef != 0 || (algorithm.needs() & QED_NEEDS_REF) != 0;
  if ((algorithm.needs() & QED_NEEDS_VALUE) == 0) return out;
  out.critic = s.critic.path.empty() ? out.policy : open_model_folder(s.critic.path, true).config;
  out.critic->value_head = true;
  return out;
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
  if (request.gpu) {
    static ops::Device gpu(request.gpu->table, request.gpu->number, request.gpu->name,
                           request.config.run.numerics == "exact");
    ops::set_device(&gpu);
  }
  if (request.dry_run) return dry_run(request);
  RunContext run(request);
  const Stopwatch watch;
  if (!advance(run)) {
    run.live.milestone(cat(run.folder.path().string(), " is finished; --fresh starts it again"));
    say_what_is_next(run, request.program);
    return kExitOk;
  }
  say_what_runs(run);
  bool is_done = false;
  while (!is_done) {
    run.stage().kind == "sft" ? run_sft_stage(run, stop_requested)
                              : run_rl_stage(run, stop_requested);
    is_done = !advance(run);
    if (!is_done && (stop_requested || run.is_out_of_time)) {
      run.live.clear();
      std::fprintf(stderr, "%sstopped after step %lld, all saved; to go on:  %s\n",
                   stop_requested ? "" : "time is up: ",
                   static_cast<long long>(run.state().global_step), request.command.c_str());
      return kExitInterrupted;
    }
  }
  run.live.milestone(cat("done in ", seconds(watch.seconds())));
  run.live.clear();
  say_what_is_next(run, request.program);
  return kExitOk;
}

}  // namespace

TrainMemory plan_memory(RunContext& run) {
  TrainMemory most;
  for (const Stage& s : run.config.stages) {
    const TrainMemory plan = plan_training(models_of(run, s), s);
    if (plan.total_bytes() > most.total_bytes()) most = plan;
  }
  check_memory(most, ops::available_bytes() + most.weights_bytes);
  return most;
}

void RunContext::report_first_update() {
  if (has_updated_) return;
  has_updated_ = true;
  live.milestone(cat("first update ", seconds(seconds_since_start()), " after the command"));
}

namespace {

// The page is made from files that are safe: a run does not end because of it.
void report(RunContext& run) {
  try {
    write_report(run.folder.path());
  } catch (const Error& error) {
    run.live.milestone(cat("report.html was not written: ", error.what()));
  }
}

}  // namespace

bool end_step(RunContext& run, const AdamW& optimizer, const std::atomic<bool>& stop,
              std::span<const CheckpointPart> parts) {
  const Stage& stage = run.stage();
  const std::int64_t step = run.state().stage_step, every = stage.checkpoint.every;
  run.is_out_of_time = run.max_time_s && seconds_since_start() >= *run.max_time_s;
  const bool must_return = step == stage.steps || stop || run.is_out_of_time;
  if (must_return || (every > 0 && step % every == 0)) {
    run.folder.checkpoint(run.model_config, run.config.model.chat_template, run.model, optimizer,
                          stage.checkpoint, parts);
    report(run);
  }
  return must_return;
}

}  // namespace qed

extern "C" __attribute__((visibility("default"))) int qed_engine_train(
    const qed::TrainRequest& request) {
  return qed::engine_call([&] { return qed::run_all(request); });
}
