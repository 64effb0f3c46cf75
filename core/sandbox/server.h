#pragma once

// The helper process of the sandbox, `qed plugin sandbox`: takes jobs from a socket, runs them side
// by side, and sends back what became of them. It has one thread, so that it can fork as it likes,
// little memory, and lives in the namespaces that root.h makes.

namespace qed::sandbox {

// The descriptor on which the helper finds its socket.
inline constexpr int kSocket = 3;

// Serves kSocket until the other side closes it; then all runs are killed. At most `num_slots` runs
// at once, at least one. Returns the exit code of the process.
int serve(int num_slots);

}  // namespace qed::sandbox
