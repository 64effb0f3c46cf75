#pragma once

// A plugin chosen on the command line: `qed items`, `qed verify`, `qed generate`.

#include <string>
#include <vector>

#include "core/config/option.h"
#include "core/config/run_config.h"

namespace qed {

// `overrides` are the arguments of --set: options of the plugin, as "digits=2" or "task.digits=2".
// Throws ConfigError with every problem found, and what the finder throws when there is no such
// plugin.
PluginTable load_plugin_options(const std::string& kind, const std::string& name,
                                const std::vector<std::string>& overrides, ComponentFinder& finder);

}  // namespace qed
