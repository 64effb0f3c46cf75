#pragma once

// `qed plugin check FILE.so` and the hidden `qed plugin check-one`, which is one of its child
// processes.

#include "core/cli/commands.h"

namespace qed {

// Each adds its command to the command group `qed plugin`.
Run add_plugin_check(CLI::App& group);
Run add_plugin_check_one(CLI::App& group);

}  // namespace qed
