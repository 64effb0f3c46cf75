#pragma once

// The key run.device, held against the devices of this machine.

#include <optional>
#include <string>

#include "core/run/engine.h"

namespace qed {

// What a run with this device ("auto", "cpu" or "cuda") computes on: the first GPU that can be
// used, or none. Throws Error, exit code 2, when it cannot have one. Costs nothing unless it wants
// one.
std::optional<GpuChoice> choose_gpu(const std::string& device);

}  // namespace qed
