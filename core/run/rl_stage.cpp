// The loop: rollout, verify, advantages, updates. Read run_rl_stage from top to bottom.

#include "core/run/evaluate.h"
#include "core/run/rl_metrics.h"
#include "core/run/rl_rollout.h"
#include "core/run/rl_update.h"
#include "core/run/stages.h"
#include "core/run/step_samples.h"
#include "core/util/clock.h"

namespace qed {

void run_rl_stage(RunContext& run, const std::atomic<bool>& stop) {
  const Stage& stage = run.stage();
  Learner learner(run);
  Collector collector(run, learner.needs());
  PluginStates states;
  states.add("algorithm", learner.algorithm_state());
  collector.add_states(states);
  if (run.state().stage_step > 0) states.restore(*run.folder.resumed_from());
  Evaluator evaluator(run, collector.tasks());
  evaluator.before_first_step();

  while (run.state().stage_step < stage.steps) {
    const std::int64_t step = run.state().stage_step + 1;
    const double lr = learning_rate(stage.train, step, stage.steps);
    const Stopwatch watch;

    const Rollout rollout = collector.collect(step);
    Experience experience = make_experience(rollout.requests, rollout.completions, rollout.reward,
                                            rollout.scored.streams, rollout.baseline);
    const UpdateSummary updates =
        keep_samples_on_failure({run, collector.terms(), rollout, &experience},
                                [&] { return learner.learn(step, lr, experience); });

    run.state().stage_step = step;
    ++run.state().global_step;
    run.state().data = collector.data_state();
    log_step(run, collector.terms(), rollout, experience, updates, watch.seconds(), lr);
    evaluator.after_step();
    std::vector<CheckpointPart> parts = learner.checkpoint_parts();
    states.add_to(parts);
    if (end_step(run, learner.optimizer(), stop, parts)) return;
  }
}

}  // namespace qed
