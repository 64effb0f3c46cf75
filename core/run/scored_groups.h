#pragma once

// Completions of prompts and what each is worth: what a rollout, an evaluation and `qed sample`
// have in common.

#include "core/reward/scoring.h"
#include "core/run/prompts.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qed {

// A group per prompt. Filled from top to bottom.
struct ScoredGroups {
  std::vector<RenderedPrompt> prompts;
  std::vector<GenerateRequest> requests;             // [prompts]
  std::vector<std::vector<Completion>> completions;  // [prompts][samples]
  std::vector<std::string> texts;                    // of all completions, in order
  Scores scored;                                     // of all completions, in order
  std::vector<double> score_s;                       // [prompts] that scoring each took
  double gen_s = 0;
  double reward_s = 0;  // that scoring took longer than generating
};

// The request of a prompt, still without samples; borrows its text.
GenerateRequest request_of(const RenderedPrompt& prompt);

// Generates what `groups.requests` ask for, and scores each group by its scorer as soon as it is
// finished, while others are still being generated. The scores depend on neither that order nor the
// number of threads. `verify_seed` is that of the scoring; it is combined with the item. After a
// cancel only the groups that were finished are left.
void complete(Transformer& model, const Tokenizer& tokenizer,
              std::span<const Scorer* const> scorers, const GenerateOptions& options,
              std::uint64_t verify_seed, ScoredGroups& groups);

// Adds groups behind those that are there.
void append(ScoredGroups& to, ScoredGroups&& more);

// Keeps the groups of these indices, ascending, and drops the others.
void keep_groups(ScoredGroups& groups, std::span<const std::size_t> kept);

}  // namespace qed
