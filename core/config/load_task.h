#pragma once

// A task chosen on the command line: `qed items` and `qed verify`.

#include <string>
#include <vector>

#include "core/config/option.h"
#include "core/config/run_config.h"

namespace qed {

// `overrides` are the arguments of --set: options of the task, as "digits=2" or "task.digits=2".
// Throws ConfigError with every problem found, and what the finder throws when there is no such
// task.
PluginTable load_task_options(const std::string& task, const std::vector<std::string>& overrides,
                              ComponentFinder& finder);

}  // namespace qed
