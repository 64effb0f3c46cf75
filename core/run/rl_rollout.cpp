#include "core/run/rl_rollout.h"

#include "core/run/evaluate.h"
#include "core/run/truncated.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include <algorithm>
#include <map>

namespace qed {

Collector::Collector(RunContext& run)
    : run_(run),
      stage_(run.stage()),
      task_(run.component("task", stage_.task.name), stage_.task.options.dump(), run.plugins.abi()),
      scorer_(task_, stage_.task_weight, stage_.rewards, run.plugins),
      sampler_(run.component("sampler", stage_.sampler.name), stage_.sampler.options.dump(),
               run.plugins.abi()),
      held_out_(held_out_keys(task_, stage_.eval.items)),
      items_(task_, task_.splits().front(), run.key("data").value(), held_out_) {
  items_.seek(run.state().data_cursor);
  if (sampler_.has_mask()) {
    throw Error(
        cat("sampler `", sampler_.name(), "` masks tokens, which this qed cannot train with"),
        "use a sampler without a mask", kExitUsage);
  }
}

Rollout Collector::collect(std::int64_t step) {
  Stopwatch watch;
  Rollout r;
  take_prompts(r);
  make_plans(step, r);
  make_requests(step, r);
  GenerateOptions options = generate_options(run_);
  options.keep_entropy = true;
  r.completions = generate(run_.model, r.requests, options);
  r.gen_s = watch.lap();
  verify(step, r);
  r.reward_s = watch.lap();
  return r;
}

void Collector::take_prompts(Rollout& r) {
  const std::uint64_t dropped_before = items_.num_dropped();
  for (std::int64_t i = 0; i < stage_.rollout.prompts; ++i) {
    r.prompts.push_back(render(task_, run_.tokenizer, run_.chat_template(), items_.next(),
                               stage_.rollout.max_new_tokens));
  }
  r.num_dropped_items = static_cast<std::int64_t>(items_.num_dropped() - dropped_before);
}

void Collector::make_plans(std::int64_t step, Rollout& r) const {
  for (std::int64_t s = 0; s < stage_.rollout.group_size; ++s) {
    qed_request request{};
    request.size = sizeof request;
    request.stage = QED_STAGE_TRAIN;
    request.step = static_cast<std::uint64_t>(step);
    request.num_steps = static_cast<std::uint64_t>(stage_.steps);
    request.index = static_cast<std::uint64_t>(s);
    request.group_size = static_cast<std::uint64_t>(stage_.rollout.group_size);
    request.vocab_size = static_cast<std::uint64_t>(run_.model.config().vocab_size);
    const std::uint64_t seed = run_.key("sampler").add(request.step).add(request.index).value();
    r.plans.emplace_back(sampler_.plan(request, seed), stage_.rollout.max_support);
  }
  if (std::ranges::any_of(r.plans, &DrawPlan::changes_logits)) {
    throw Error(cat("sampler `", sampler_.name(),
                    "` penalises, biases or bans tokens, which this qed cannot train with"),
                "leave those options at what does nothing", kExitUsage);
  }
  if (std::ranges::all_of(r.plans, &DrawPlan::is_greedy)) {
    throw Error(
        cat("sampler `", sampler_.name(), "` is greedy, and a greedy rollout cannot be trained on"),
        "use a temperature above 0", kExitUsage);
  }
}

void Collector::make_requests(std::int64_t step, Rollout& r) const {
  std::map<std::string, std::uint64_t> occurrences;
  for (const RenderedPrompt& p : r.prompts) {
    const std::uint64_t occurrence = occurrences[p.item.key]++;
    GenerateRequest& request = r.requests.emplace_back(
        p.tokens, std::vector<GenerateRequest::Sample>(), p.max_new_tokens, 0, p.stop);
    for (std::size_t s = 0; s < r.plans.size(); ++s) {
      const std::uint64_t key = run_.key("train")
                                    .add(static_cast<std::uint64_t>(step))
                                    .add(task_.name())
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
void Collector::verify(std::int64_t step, Rollout& r) const {
  std::vector<SampleView> samples;
  for (std::size_t g = 0; g < r.prompts.size(); ++g) {
    for (const Completion& c : r.completions[g])
      r.texts.push_back(completion_text(run_.tokenizer, c, r.prompts[g].stop, r.prompts[g].decode));
  }
  for (std::size_t g = 0; g < r.prompts.size(); ++g) {
    for (std::size_t s = 0; s < r.completions[g].size(); ++s) {
      const RenderedPrompt& p = r.prompts[g];
      const Completion& c = r.completions[g][s];
      samples.push_back({&p.item, p.text, p.prefill, r.texts[samples.size()], c.tokens, c.finish, g,
                         s, static_cast<std::uint64_t>(p.max_new_tokens)});
    }
  }
  const std::uint64_t seed = run_.key("verify").add(static_cast<std::uint64_t>(step)).value();
  r.scored = scorer_.score(samples, seed, stage_.rollout.max_failure_frac);
  treat_truncated(stage_.rollout.truncated, r.completions, r.scored);
  for (const Score& s : r.scored.scores) r.reward.push_back(s.reward);
}

}  // namespace qed
