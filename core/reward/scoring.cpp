#include "core/reward/scoring.h"

#include "core/util/error.h"

#include "qed/abi.h"

#include <algorithm>
#include <limits>

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
    extras_.push_back(
        {term, std::make_unique<Reward>(component, term.options.dump(), plugins.abi())});
  }
}

Scores Scorer::score(std::span<const SampleView> samples, std::uint64_t seed,
                     double max_failure_frac) const {
  Scores out{task_.verify(samples, seed), {}, 0};
  std::vector<double> task_reward;
  for (Score& s : out.scores) {
    task_reward.push_back(s.reward);
    s.reward *= task_weight_;
    if (!extras_.empty()) s.terms.push_back(static_cast<float>(task_reward.back()));
  }
  for (const Extra& extra : extras_) add(extra, samples, task_reward, seed, out);
  check_failures(out, max_failure_frac);
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

void Scorer::check_failures(Scores& out, double max_failure_frac) const {
  const Score* first = nullptr;
  for (const Score& s : out.scores) {
    if (s.status == QED_OK) continue;
    if (first == nullptr) first = &s;
    ++out.num_failed;
  }
  const auto num_samples = static_cast<double>(out.scores.size());
  if (static_cast<double>(out.num_failed) <= max_failure_frac * num_samples) return;
  throw Error(cat("task `", task_.name(), "` could not score ", out.num_failed, " of ",
                  out.scores.size(), " completions (status ", first->status, "): ", first->note),
              "mend the task, or raise rollout.max_failure_frac to train on the others");
}

}  // namespace qed
