#include "core/run/rl_rollout.h"

#include "core/run/evaluate.h"
#include "core/run/step_samples.h"
#include "core/run/truncated.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace qed {

namespace {

// Of one completion, the rewards per token included; NaN where scoring failed.
double total_reward(const Scores& scored, std::size_t index) {
  double total = scored.scores[index].reward;
  for (const TokenStream& stream : scored.streams) {
    total = std::accumulate(stream.rewards[index].begin(), stream.rewards[index].end(), total);
  }
  return total;
}

// By group, the total rewards of the completions that have one.
std::vector<std::vector<double>> group_rewards(const ScoredGroups& groups) {
  std::vector<std::vector<double>> out;
  std::size_t index = 0;
  for (const auto& completions : groups.completions) {
    auto& rewards = out.emplace_back();
    for (std::size_t s = 0; s < completions.size(); ++s, ++index) {
      if (!std::isfinite(groups.scored.scores[index].reward)) continue;
      rewards.push_back(total_reward(groups.scored, index));
    }
  }
  return out;
}

double mean(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double variance(const std::vector<double>& x) {
  if (x.empty() || std::ranges::max(x) == std::ranges::min(x)) return 0;
  const double m = mean(x);
  double sum = 0;
  for (const double value : x) sum += (value - m) * (value - m);
  return sum / static_cast<double>(x.size());
}

// From the order of one task's terms to that of all.
void align_terms(const std::vector<std::string>& from, const std::vector<std::string>& to,
                 std::vector<float>& terms) {
  std::vector<float> out(to.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < from.size(); ++i) {
    out[static_cast<std::size_t>(std::ranges::find(to, from[i]) - to.begin())] = terms[i];
  }
  terms = std::move(out);
}

}  // namespace

std::vector<double> group_variances(const ScoredGroups& groups) {
  std::vector<double> out;
  for (const auto& rewards : group_rewards(groups)) out.push_back(variance(rewards));
  return out;
}

Collector::Collector(RunContext& run, std::uint64_t needs)
    : run_(run),
      stage_(run.stage()),
      needs_baseline_((needs & QED_NEEDS_BASELINE) != 0),
      tasks_(run),
      sampler_(run.component("sampler", stage_.sampler.name), stage_.sampler.options.dump(),
               run.plugins.abi()) {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    scorers_.push_back(
        std::make_unique<Scorer>(tasks_.task(i), stage_.task_weight, stage_.rewards, run.plugins));
  }
  for (const auto& scorer : scorers_) {
    for (const std::string& term : scorer->terms()) {
      if (std::ranges::find(terms_, term) == terms_.end()) terms_.push_back(term);
    }
  }
  tasks_.items().restore(run.state().data);
}

void Collector::add_states(PluginStates& to) const {
  tasks_.add_states(to);
  to.add("sampler", sampler_.state());
  for (std::size_t i = 0; i < scorers_.size(); ++i) {
    const std::vector<PluginState> extras = scorers_[i]->extra_states();
    for (std::size_t k = 0; k < extras.size(); ++k) {
      to.add(cat("reward.", i + 1, ".", k + 1), extras[k]);
    }
  }
}

Rollout Collector::collect(std::int64_t step) {
  const Mixture& items = tasks_.items();
  const std::uint64_t dropped_before = items.num_dropped(), skipped_before = items.num_skipped();
  Rollout r;
  Occurrences occurrences;
  make_plans(step, r);
  std::int64_t num_missing = stage_.rollout.prompts;
  for (; r.num_rounds <= stage_.rollout.refill && num_missing > 0; ++r.num_rounds) {
    append(r, draw(step, num_missing, r.plans, occurrences));
    if (stage_.rollout.refill == 0) continue;
    const auto variances = group_variances(r);
    num_missing =
        stage_.rollout.prompts - std::ranges::count_if(variances, [](double v) { return v > 0; });
  }
  r.num_generated = static_cast<std::int64_t>(r.prompts.size());
  keep_samples_on_failure({run_, terms_, r}, [&] {
    check_failures(r.scored, tasks_.names(), stage_.rollout.max_failure_frac);
  });
  report_pass_rates(r);
  choose_groups(r);
  if (needs_baseline_) add_baseline(step, r);
  for (const Score& s : r.scored.scores) r.reward.push_back(s.reward);
  r.num_dropped_items = static_cast<std::int64_t>(items.num_dropped() - dropped_before);
  r.num_skipped_items = static_cast<std::int64_t>(items.num_skipped() - skipped_before);
  return r;
}

void Collector::make_plans(std::int64_t step, Rollout& r) const {
  qed_request request{};
  request.stage = QED_STAGE_TRAIN;
  request.step = static_cast<std::uint64_t>(step);
  request.num_steps = static_cast<std::uint64_t>(stage_.steps);
  request.group_size = static_cast<std::uint64_t>(stage_.rollout.group_size);
  request.vocab_size = static_cast<std::uint64_t>(run_.model.config().vocab_size);
  r.plans = plan_group(sampler_, request, run_.key("sampler").add(request.step),
                       stage_.rollout.max_support);
  if (std::ranges::all_of(r.plans, &DrawPlan::is_greedy)) {
    throw Error(
        cat("sampler `", sampler_.name(), "` is greedy, and a greedy rollout cannot be trained on"),
        "use a temperature above 0", kExitUsage);
  }
}

// New prompts and their scored completions.
ScoredGroups Collector::draw(std::int64_t step, std::int64_t num_prompts,
                             const std::vector<DrawPlan>& plans, Occurrences& occurrences) {
  const Stopwatch watch;
  ScoredGroups out;
  for (std::int64_t i = 0; i < num_prompts; ++i) {
    Mixture::Pick pick = tasks_.items().next();
    out.prompts.push_back(render(tasks_.task(pick.source), run_.tokenizer, run_.chat_template(),
                                 std::move(pick.item), stage_.rollout.max_new_tokens));
    out.prompts.back().task = pick.source;
  }
  for (const RenderedPrompt& p : out.prompts) {
    const std::uint64_t occurrence = occurrences[{p.task, p.item.key}]++;
    GenerateRequest& request = out.requests.emplace_back(request_of(p));
    for (std::size_t s = 0; s < plans.size(); ++s) {
      const std::uint64_t key = run_.key("train")
                                    .add(static_cast<std::uint64_t>(step))
                                    .add(tasks_.label(p.task))
                                    .add(p.item.key)
                                    .add(occurrence)
                                    .add(s)
                                    .add(0)
                                    .value();
      request.samples.push_back({&plans[s], key});
    }
  }
  out.gen_s = watch.seconds();
  score(step, out);
  return out;
}

// Generates what the groups ask for, and scores it.
void Collector::score(std::int64_t step, ScoredGroups& groups) const {
  std::vector<const Scorer*> scorers;
  for (const RenderedPrompt& p : groups.prompts) scorers.push_back(scorers_[p.task].get());
  const std::uint64_t seed = run_.key("verify").add(static_cast<std::uint64_t>(step)).value();
  GenerateOptions options = generate_options(run_);
  options.keep_entropy = true;
  if (sampler_.has_mask()) options.mask = &sampler_;
  options.mask_seed = run_.key("mask").add(static_cast<std::uint64_t>(step)).value();
  complete(run_.model, run_.tokenizer, scorers, options, seed, groups);
  treat_truncated(stage_.rollout.truncated, groups.completions, groups.scored);
  if (scorers_.size() == 1) return;
  std::size_t index = 0;
  for (std::size_t g = 0; g < groups.prompts.size(); ++g) {
    for (std::size_t s = 0; s < groups.completions[g].size(); ++s) {
      align_terms(scorers[g]->terms(), terms_, groups.scored.scores[index++].terms);
    }
  }
}

void Collector::report_pass_rates(const Rollout& r) {
  std::size_t index = 0;
  for (std::size_t g = 0; g < r.prompts.size(); ++g) {
    std::int64_t num = 0, num_right = 0;
    for (std::size_t s = 0; s < r.completions[g].size(); ++s) {
      const Score& score = r.scored.scores[index++];
      if (!std::isfinite(score.reward)) continue;
      ++num;
      num_right += score.verdict == QED_VERDICT_RIGHT ? 1 : 0;
    }
    tasks_.items().report(r.prompts[g].task, r.prompts[g].item.key, num_right, num);
  }
}

// Drops groups as [rollout] says; the others keep their order.
void Collector::choose_groups(Rollout& r) const {
  const RolloutTable& options = stage_.rollout;
  if (options.refill == 0 && options.keep_groups == 0) return;
  const std::vector<double> variances = group_variances(r);
  std::vector<std::size_t> kept(variances.size());
  std::iota(kept.begin(), kept.end(), std::size_t{0});
  if (options.refill > 0) {
    std::erase_if(kept, [&](std::size_t g) { return variances[g] == 0; });
    if (kept.empty()) kept = {0};
  }
  const auto most = static_cast<std::size_t>(options.keep_groups);
  if (most > 0 && kept.size() > most) {
    std::ranges::stable_sort(kept, std::greater(), [&](std::size_t g) { return variances[g]; });
    kept.resize(most);
    std::ranges::sort(kept);
  }
  keep_groups(r, kept);
}

void Collector::add_baseline(std::int64_t step, Rollout& r) const {
  const std::vector<DrawPlan> plan = {DrawPlan::at_temperature(0)};
  ScoredGroups greedy;
  greedy.prompts = r.prompts;
  for (const RenderedPrompt& p : greedy.prompts) {
    greedy.requests.emplace_back(request_of(p)).samples.push_back({&plan[0], 0});
  }
  score(step, greedy);
  check_failures(greedy.scored, tasks_.names(), stage_.rollout.max_failure_frac);
  const auto rewards = group_rewards(r);
  for (std::size_t g = 0; g < rewards.size(); ++g) {
    const bool is_scored = std::isfinite(greedy.scored.scores[g].reward);
    const double fallback = rewards[g].empty() ? 0 : mean(rewards[g]);
    r.baseline.push_back(is_scored ? total_reward(greedy.scored, g) : fallback);
  }
  r.gen_s += greedy.gen_s;
  r.reward_s += greedy.reward_s;
}

}  // namespace qed
