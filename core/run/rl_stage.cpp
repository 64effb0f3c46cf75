// The loop: rollout, verify, advantages, updates. Read run_rl_stage from top to bottom.

#include "core/data/items.h"
#include "core/host/algorithm.h"
#include "core/host/sampler.h"
#include "core/reward/scoring.h"
#include "core/run/evaluate.h"
#include "core/run/prompts.h"
#include "core/run/rl_metrics.h"
#include "core/run/stages.h"
#include "core/train/update.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include <algorithm>
#include <map>

namespace qed {

namespace {

constexpr std::uint64_t kProvided = 0;  // of QED_NEEDS_<what>

// Everything a stage keeps between steps.
struct Loop {
  Task task;
  Scorer scorer;
  Algorithm algorithm;
  Sampler sampler;
  AdamW optimizer;
  Evaluator evaluator;
  std::unordered_set<std::string> held_out;
  ItemStream items;

  Loop(RunContext& run, const Stage& s)
      : task(run.component("task", s.task.name), s.task.options.dump(), run.plugins.abi()),
        scorer(task, s.task_weight, s.rewards, run.plugins),
        algorithm(run.component("algorithm", s.algorithm.name), s.algorithm.options.dump(),
                  run.plugins.abi()),
        sampler(run.component("sampler", s.sampler.name), s.sampler.options.dump(),
                run.plugins.abi()),
        optimizer(run.model.weights()),
        evaluator(run, task),
        held_out(held_out_keys(task, s.eval.items)),
        items(task, task.splits().front(), run.key("data").value(), held_out) {
    items.seek(run.state().data_cursor);
    algorithm.check_needs(kProvided);
    if (sampler.has_mask()) {
      throw Error(
          cat("sampler `", sampler.name(), "` masks tokens, which this qed cannot train with"),
          "use a sampler without a mask", kExitUsage);
    }
    if (run.state().stage_step > 0) read_optimizer(*run.folder.resumed_from(), optimizer);
  }
};

// The prompts of a step, with a plan and a random key for each of their completions.
void make_requests(RunContext& run, Loop& loop, std::int64_t step, Rollout& r) {
  const Stage& stage = run.stage();
  const std::uint64_t dropped_before = loop.items.num_dropped();
  for (std::int64_t i = 0; i < stage.rollout.prompts; ++i) {
    r.prompts.push_back(render(loop.task, run.tokenizer, run.chat_template(), loop.items.next(),
                               stage.rollout.max_new_tokens));
  }
  r.num_dropped_items = static_cast<std::int64_t>(loop.items.num_dropped() - dropped_before);
  for (std::int64_t s = 0; s < stage.rollout.group_size; ++s) {
    qed_request request{};
    request.size = sizeof request;
    request.stage = QED_STAGE_TRAIN;
    request.step = static_cast<std::uint64_t>(step);
    request.num_steps = static_cast<std::uint64_t>(stage.steps);
    request.index = static_cast<std::uint64_t>(s);
    request.group_size = static_cast<std::uint64_t>(stage.rollout.group_size);
    request.vocab_size = static_cast<std::uint64_t>(run.model.config().vocab_size);
    const std::uint64_t seed = run.key("sampler").add(request.step).add(request.index).value();
    r.plans.emplace_back(loop.sampler.plan(request, seed), stage.rollout.max_support);
  }
  if (std::ranges::any_of(r.plans, &DrawPlan::changes_logits)) {
    throw Error(cat("sampler `", loop.sampler.name(),
                    "` penalises, biases or bans tokens, which this qed cannot train with"),
                "leave those options at what does nothing", kExitUsage);
  }
  if (std::ranges::all_of(r.plans, &DrawPlan::is_greedy)) {
    throw Error(cat("sampler `", loop.sampler.name(),
                    "` is greedy, and a greedy rollout cannot be trained on"),
                "use a temperature above 0", kExitUsage);
  }
  std::map<std::string, std::uint64_t> occurrences;
  for (const RenderedPrompt& p : r.prompts) {
    const std::uint64_t occurrence = occurrences[p.item.key]++;
    GenerateRequest& request = r.requests.emplace_back(
        p.tokens, std::vector<GenerateRequest::Sample>(), p.max_new_tokens, 0, p.stop);
    for (std::size_t s = 0; s < r.plans.size(); ++s) {
      const std::uint64_t key = run.key("train")
                                    .add(static_cast<std::uint64_t>(step))
                                    .add(loop.task.name())
                                    .add(p.item.key)
                                    .add(occurrence)
                                    .add(s)
                                    .add(0)
                                    .value();
      request.samples.push_back({&r.plans[s], key});
    }
  }
}

// Scores all completions; reward is NaN where that failed.
void verify(RunContext& run, const Loop& loop, std::int64_t step, Rollout& r) {
  std::vector<SampleView> samples;
  for (std::size_t g = 0; g < r.prompts.size(); ++g) {
    for (const Completion& c : r.completions[g])
      r.texts.push_back(completion_text(run.tokenizer, c, r.prompts[g].stop, r.prompts[g].decode));
  }
  for (std::size_t g = 0; g < r.prompts.size(); ++g) {
    for (std::size_t s = 0; s < r.completions[g].size(); ++s) {
      const RenderedPrompt& p = r.prompts[g];
      const Completion& c = r.completions[g][s];
      samples.push_back({&p.item, p.text, p.prefill, r.texts[samples.size()], c.tokens, c.finish, g,
                         s, static_cast<std::uint64_t>(p.max_new_tokens)});
    }
  }
  const std::uint64_t seed = run.key("verify").add(static_cast<std::uint64_t>(step)).value();
  r.scored = loop.scorer.score(samples, seed, run.stage().rollout.max_failure_frac);
  for (const Score& s : r.scored.scores) r.reward.push_back(s.reward);
}

void compute_advantages(RunContext& run, const Loop& loop, std::int64_t step, Experience& e,
                        MetricSums& metrics) {
  std::vector<std::size_t> all(e.num_seqs());
  for (std::size_t b = 0; b < all.size(); ++b) all[b] = b;
  const BatchView batch(e, all, static_cast<std::uint64_t>(step));
  qed_advantage out{};
  out.size = sizeof out;
  out.adv = {e.adv.data(), e.adv.size()};
  out.keep = {e.keep.data(), e.keep.size()};
  const std::uint64_t seed = run.key("advantage").add(static_cast<std::uint64_t>(step)).value();
  loop.algorithm.advantage(batch.abi(), out, metrics, seed);
}

// epochs x mini_batches updates over the experience; those without any advantage are skipped whole.
void update(RunContext& run, Loop& loop, std::int64_t step, double lr, const Experience& e,
            UpdateSummary& out) {
  const TrainTable& options = run.stage().train;
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    KeyHash key = run.key("order");
    key.add(static_cast<std::uint64_t>(step)).add(static_cast<std::uint64_t>(epoch));
    const auto order = shuffled(e.num_seqs(), key.value());
    for (std::int64_t m = 0; m < options.mini_batches; ++m) {
      const auto n = static_cast<std::int64_t>(order.size());
      std::vector<std::size_t> rows(order.begin() + n * m / options.mini_batches,
                                    order.begin() + n * (m + 1) / options.mini_batches);
      std::sort(rows.begin(), rows.end());
      const PolicyGradient g =
          policy_gradient(run.model, loop.algorithm, e, rows, static_cast<std::uint64_t>(step),
                          options.micro_tokens,
                          KeyHash(key).add(static_cast<std::uint64_t>(m)).value(), out.metrics);
      out.loss += g.loss;
      ++out.num_planned;
      if (!g.has_signal) continue;
      out.grad_norm += loop.optimizer.step(options, lr);
      ++out.num_done;
      run.report_first_update();
    }
  }
}

}  // namespace

void run_rl_stage(RunContext& run, const std::atomic<bool>& stop) {
  const Stage& stage = run.stage();
  Loop loop(run, stage);
  loop.evaluator.before_first_step();

  while (run.state().stage_step < stage.steps) {
    const std::int64_t step = run.state().stage_step + 1;
    const double lr = learning_rate(stage.train, step, stage.steps);
    StepTimes times;
    Stopwatch whole, watch;

    Rollout rollout;
    make_requests(run, loop, step, rollout);
    rollout.completions = generate(run.model, rollout.requests, generate_options(run));
    times.gen = watch.lap();

    verify(run, loop, step, rollout);
    times.reward = watch.lap();

    Experience experience = make_experience(rollout.requests, rollout.completions, rollout.reward,
                                            rollout.scored.streams);
    score(run.model, experience, stage.train.micro_tokens);
    times.old_log_prob = watch.lap();

    UpdateSummary updates;
    compute_advantages(run, loop, step, experience, updates.metrics);
    times.adv = watch.lap();

    update(run, loop, step, lr, experience, updates);
    times.update_actor = watch.lap();
    times.step = whole.seconds();

    run.state().stage_step = step;
    ++run.state().global_step;
    run.state().data_cursor = loop.items.cursor();
    log_step(run, loop.scorer, rollout, experience, updates, times, lr);
    loop.evaluator.after_step();
    if (end_step(run, loop.optimizer, stop)) return;
  }
}

}  // namespace qed
