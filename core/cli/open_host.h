#pragma once

// The plugin host of a command: the folders that the command line names, and the program's
// services.

#include <memory>

#include "core/cli/commands.h"
#include "core/host/plugin_host.h"

namespace qed {

std::unique_ptr<PluginHost> open_host(const CommonOptions& options,
                                      const ScanSettings& scan = default_scan_settings());

}  // namespace qed
