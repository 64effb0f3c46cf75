#include "core/data/items.h"
#include "core/run/evaluate.h"
#include "core/run/prompts.h"
#include "core/run/stages.h"
#include "core/train/update.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include <cstdio>

namespace qed {

namespace {

std::vector<Demonstration> load_demonstrations(RunContext& run, const Task& task) {
  const auto held_out = held_out_keys(task, run.stage().eval.items);
  ItemStream items(task, task.splits().front(), run.key("data").value(), held_out);
  std::vector<Demonstration> out;
  for (std::int64_t i = 0; i < run.stage().demonstrations; ++i) {
    const std::uint64_t seed = run.key("demonstration").add(static_cast<std::uint64_t>(i)).value();
    const Demonstration& d =
        out.emplace_back(demonstrate(task, run.tokenizer, run.chat_template(), items.next(), seed));
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

std::string live_text(std::int64_t step, std::int64_t steps, double loss, double lr,
                      double step_s) {
  char text[128];
  std::snprintf(text, sizeof text, "sft %5lld/%lld  loss %.4f  lr %.1e  %.1f steps/s  eta %.0fs",
                static_cast<long long>(step), static_cast<long long>(steps), loss, lr, 1 / step_s,
                static_cast<double>(steps - step) * step_s);
  return text;
}

}  // namespace

void run_sft_stage(RunContext& run, const std::atomic<bool>& stop) {
  const Stage& stage = run.stage();
  const TrainTable& options = stage.train;
  const Task task(run.component("task", stage.task.name), stage.task.options.dump(),
                  run.plugins.abi());
  const std::vector<Demonstration> demonstrations = load_demonstrations(run, task);
  EpochOrder order(demonstrations.size(), run.key("order"));
  AdamW optimizer(run.model.weights());
  if (run.state().stage_step > 0) read_optimizer(*run.folder.resumed_from(), optimizer);
  Evaluator evaluator(run, task);
  evaluator.before_first_step();

  Stopwatch watch;
  while (run.state().stage_step < stage.steps) {
    const std::int64_t step = run.state().stage_step + 1;
    std::vector<Sequence> batch;
    for (std::int64_t i = 0; i < options.batch_size; ++i) {
      const auto position = static_cast<std::uint64_t>((step - 1) * options.batch_size + i);
      const Demonstration& d = demonstrations[order.at(position)];
      batch.push_back({.prompt = d.prompt, .completion = d.completion});
    }
    const double loss =
        demonstration_gradient(run.model, batch, options.micro_tokens, options.checkpointing);
    const double lr = learning_rate(options, step, stage.steps);
    const double norm = optimizer.step(options, lr);
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
    if (end_step(run, optimizer, stop)) return;
  }
}

}  // namespace qed
