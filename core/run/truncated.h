#pragma once

// What rollout.truncated makes of completions that were cut at their budget.

#include "core/reward/scoring.h"
#include "core/rollout/generate.h"

#include <span>
#include <string>
#include <vector>

namespace qed {

// "keep": nothing. "mask": a cut completion counts as not scored (QED_CANCELLED): it leaves its
// group's statistics and the loss. "zero": it is worth 0, terms per token included. `scored` has
// the completions in order.
void treat_truncated(const std::string& policy,
                     std::span<const std::vector<Completion>> completions, Scores& scored);

}  // namespace qed
