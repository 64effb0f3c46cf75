#pragma once

// `qed plugin COMMAND`: for people who write plugins. Each command adds itself to the group and
// returns what to run when it was chosen.

#include "core/cli/commands.h"

namespace qed {

// `scan FILE...`, hidden: prints what each file holds as one line of JSON (core/host/scan.h), and
// nothing else, whatever the plugins write. The program starts it for itself.
Run add_plugin_scan(CLI::App& group);

// `sandbox`, hidden: the helper process that runs untrusted programs (core/sandbox/server.h).
Run add_plugin_sandbox(CLI::App& group);

}  // namespace qed
