#pragma once

// The devices of this machine: the command `qed devices`, and the key run.device.

#include <string>

#include "core/cli/commands.h"

namespace qed {

Run add_devices(CLI::App& app);

// Throws Error, exit code 2, when a run cannot have this device ("auto", "cpu" or "cuda"). Costs
// nothing unless that is a GPU.
void check_device(const std::string& device);

}  // namespace qed
