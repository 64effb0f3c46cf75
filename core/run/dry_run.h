#pragma once

// `qed train --dry-run`: what a run would do, found out by opening everything that it needs.

#include "core/run/engine.h"

namespace qed {

// Opens the model, the tokenizer and each stage's plugins and data as the run would, and prints
// them on stdout. Writes nothing into the run folder. Returns an exit code; throws Error for all
// that the run would refuse when a stage starts.
int dry_run(const TrainRequest& request);

}  // namespace qed
