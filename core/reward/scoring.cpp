#include "core/reward/scoring.h"

#include "core/host/call_plugin.h"
#include "core/util/error.h"

#include "qed/abi.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace qed {

Scorer::Scorer(const Task& task) : task_(task), names_(task.terms()) {}

Scorer::Scorer(const Task& task, double task_weight, const std::vector<RewardTerm>& terms,
               PluginHost& plugins)
    : task_(task), task_weight_(task_weight), names_(task.terms()) {
  if (!terms.empty()) names_.push_back("task");
  for (const RewardTerm& term : terms) {
    if (std::ranges::find(names_, term.label) != names_.end()) {
      throw Error(
          cat("[reward] ", term.label, ": task `", task.name(), "` has a term of this name"),
          cat("give it another label, with name = \"", term.name, "\""), kExitUsage);
    }
    const Component& component = plugins.load("reward", term.name);
    names_.push_back(term.label);
    extras_.push_back({term, std::make_unique<Reward>(component, term.options.dump(), plugins.abi(),
                                                      task.timeout_s())});
  }
}

std::vector<PluginState> Scorer::extra_states() const {
  std::vector<PluginState> out;
  for (const Extra& extra : extras_) out.push_back(extra.reward->state());
  return out;
}

void Scores::append(Scores&& more) {
  if (scores.empty()) {
    *this = std::move(more);
    return;
  }
  std::ranges::move(more.scores, std::back_inserter(scores));
  num_failed += more.num_failed;
  QED_CHECK(streams.size() == more.streams.size());
  for (std::size_t i = 0; i < streams.size(); ++i) {
    std::ranges::move(more.streams[i].rewards, std::back_inserter(streams[i].rewards));
  }
}

void check_failures(const Scores& scores, const std::string& task, double max_failure_frac) {
  const auto num_samples = static_cast<double>(scores.scores.size());
  if (static_cast<double>(scores.num_failed) <= max_failure_frac * num_samples) return;
  const auto first =
      std::ranges::find_if(scores.scores, [](const Score& s) { return s.status != QED_OK; });
  throw Error(
      cat("task `", task, "` could not score ", scores.num_failed, " of ", scores.scores.size(),
          " completions (status ", status_name(first->status), "): ", first->note),
      "mend the task, or raise rollout.max_failure_frac to train on the others");
}

Scores Scorer::score(std::span<const SampleView> samples, std::uint64_t seed) const {
  Scores out{task_.verify(samples, seed), {}, 0};
  std::vector<double> task_reward;
  for (Score& s : out.scores) {
    task_reward.push_back(s.reward);
    s.reward *= task_weight_;
    if (!extras_.empty()) s.terms.push_back(static_cast<float>(task_reward.back()));
  }
  for (const Extra& extra : extras_) add(extra, samples, task_reward, seed, out);
  out.num_failed =
      std::ranges::count_if(out.scores, [](const Score& s) { return s.status != QED_OK; });
  return out;
}

// One extra term for all samples that are still without failure.
void Scorer::add(const Extra& extra, std::span<const SampleView> samples,
                 std::span<const double> task_reward, std::uint64_t seed, Scores& out) const {
  const std::size_t num_terms = task_.terms().size();
  std::vector<ScoredView> in;
  std::vector<std::size_t> rows;
  TokenStream stream = {extra.term.label, extra.term.gamma, {}};
  for (std::size_t i = 0; i < samples.size(); ++i) {
    Score& s = out.scores[i];
    s.terms.resize(s.terms.size() + 1, std::numeric_limits<float>::quiet_NaN());
    stream.rewards.emplace_back(samples[i].tokens.size(), 0.0f);
    if (s.status != QED_OK) continue;
    rows.push_back(i);
    in.push_back({&samples[i], task_reward[i], s.verdict, task_.terms(),
                  std::span(s.terms).first(num_terms)});
  }
  const std::vector<RewardScore> values = extra.reward->score(in, seed);
  for (std::size_t k = 0; k < rows.size(); ++k) {
    Score& s = out.scores[rows[k]];
    const RewardScore& value = values[k];
    if (value.status != QED_OK) {
      s.status = value.status;
      s.reward = std::numeric_limits<double>::quiet_NaN();
      s.note = cat("reward `", extra.term.label, "`: ", value.note);
    } else if (value.applies) {
      s.reward += extra.term.weight * value.value;
      s.terms.back() = static_cast<float>(value.value);
      std::ranges::transform(value.tokens, stream.rewards[rows[k]].begin(),
                             [&](float r) { return static_cast<float>(extra.term.weight * r); });
    }
  }
  if (extra.reward->has_token_rewards()) out.streams.push_back(std::move(stream));
}

}  // namespace qed
