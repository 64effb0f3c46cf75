#pragma once

// Scanning plugins in child processes: one that crashes or hangs while it is loaded costs its
// child.

#include "core/host/scan.h"

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace qed {

// Runs `command` FILE..., which prints scan_to_json(file) for each, one per line, in order. The
// file at which a child ends or falls silent for `timeout` gets that as its reason (P036, P037),
// and another child goes on behind it. One result per file, in order. Throws Error where no child
// can be started.
std::vector<ScannedFile> scan_in_children(const std::vector<std::string>& command,
                                          std::span<const std::filesystem::path> files,
                                          std::chrono::milliseconds timeout);

}  // namespace qed
