#include "core/data/items.h"
#include "core/run/evaluate.h"
#include "core/run/prompts.h"
#include "core/run/sft_data.h"
#include "core/run/stages.h"
#include "core/run/step_samples.h"
#include "core/run/task_set.h"
#include "core/train/update.h"
#include "core/util/clock.h"
#include "core/util/error.h"
#include "core/util/words.h"

#include <cstdio>

namespace qed {

namespace {

std::vector<Demonstration> from_tasks(RunContext& run, TaskSet& tasks) {
  std::vector<Demonstration> out;
  for (std::int64_t i = 0; i < run.stage().demonstrations; ++i) {
    const std::uint64_t seed = run.key("demonstration").add(static_cast<std::uint64_t>(i)).value();
    Mixture::Pick pick = tasks.items().next();
    const Task& task = tasks.task(pick.source);
    const Demonstration& d = out.emplace_back(
        demonstrate(task, run.tokenizer, run.chat_template(), std::move(pick.item), seed));
    const auto length = static_cast<std::int64_t>(d.prompt.size() + d.completion.size());
    if (length > run.model.config().max_position_embeddings) {
      throw Error(cat("a demonstration of task `", task.name(), "` has ", length,
                      " tokens, more than the model's window of ",
                      run.model.config().max_position_embeddings),
                  "choose shorter items, or a model with a larger max_position_embeddings");
    }
  }
  return out;
}

std::vector<Demonstration> from_file(RunContext& run,
                                     const std::unordered_set<std::string>& held_out) {
  const Stage& stage = run.stage();
  const ModelConfig& config = run.model.config();
  SftData data = read_sft_data(
      {stage.data, stage.demonstrations, stage.max_tokens, config.max_position_embeddings},
      run.tokenizer, run.chat_template(), config.vocab_size, held_out);
  std::string said =
      cat("data      ", stage.data, ", ", counted(data.demonstrations.size(), "demonstration"));
  const auto num_rows = static_cast<std::size_t>(data.num_rows);
  if (num_rows != data.demonstrations.size()) said += " of " + counted(num_rows, "row");
  if (data.num_cut > 0) said += cat(", ", data.num_cut, " of them cut");
  if (data.num_held_out > 0) said += cat("; ", data.num_held_out, " left out: held out");
  run.live.milestone(said);
  return std::move(data.demonstrations);
}

std::string live_text(std::int64_t step, std::int64_t steps, double loss, double lr,
                      double step_s) {
  char text[128];
  std::snprintf(text, sizeof text, "sft %5lld/%lld  loss %.4f  lr %.1e  %.1f steps/s  eta %.0fs",
                static_cast<long long>(step), static_cast<long long>(steps), loss, lr, 1 / step_s,
                static_cast<double>(steps - step) * step_s);
  return text;
}

}  // namespace

SftMaterial::SftMaterial(RunContext& run)
    : tasks(run),
      demonstrations(run.stage().data.empty() ? from_tasks(run, tasks)
                                              : from_file(run, tasks.held_out())) {}

void run_sft_stage(RunContext& run, const std::atomic<bool>& stop) {
  const Stage& stage = run.stage();
  const TrainTable& options = stage.train;
  const SftMaterial material(run);
  EpochOrder order(material.demonstrations.size(), run.key("order"));
  AdamW optimizer(run.model.weights());
  PluginStates states;
  material.tasks.add_states(states);
  std::vector<CheckpointPart> parts;
  states.add_to(parts);
  if (run.state().stage_step > 0) {
    read_optimizer(*run.folder.resumed_from(), optimizer);
    states.restore(*run.folder.resumed_from());
  }
  Evaluator evaluator(run, material.tasks);
  evaluator.before_first_step();

  Stopwatch watch;
  while (run.state().stage_step < stage.steps) {
    const std::int64_t step = run.state().stage_step + 1;
    std::vector<Sequence> batch;
    for (std::int64_t i = 0; i < options.batch_size; ++i) {
      const auto position = static_cast<std::uint64_t>((step - 1) * options.batch_size + i);
      const Demonstration& d = material.demonstrations[order.at(position)];
      batch.push_back({.prompt = d.prompt, .completion = d.completion});
    }
    const double lr = learning_rate(options, step, stage.steps);
    double loss = 0, norm = 0;
    try {
      loss = demonstration_gradient(run.model, batch, options.micro_tokens, options.checkpointing);
      norm = optimizer.step(options, lr);
    } catch (const Error& error) {
      throw failed_step(run, error, demonstration_lines(run, batch));
    }
    run.report_first_update();

    run.state().stage_step = step;
    ++run.state().global_step;
    const double step_s = watch.lap();
    MetricsRow row = run.row();
    row.add("sft/loss", loss);
    row.add("sft/grad_norm", norm);
    row.add("sft/lr", lr);
    row.add_clock("timing_s/step", step_s);
    run.write(row);
    run.live.update(live_text(step, stage.steps, loss, lr, step_s));
    if (step == stage.steps) run.live.milestone(live_text(step, stage.steps, loss, lr, step_s));
    evaluator.after_step();
    if (end_step(run, optimizer, stop, parts)) return;
  }
}

}  // namespace qed
