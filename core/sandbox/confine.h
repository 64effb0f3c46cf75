#pragma once

// What a process gives up before it runs a program that nobody trusts. Each function acts on the
// calling process, for good and for all that it starts, and throws Error where the kernel refuses.

#include "core/sandbox/job.h"

namespace qed::sandbox {

// System calls with which a program could reach beyond its run (sockets, namespaces, mounts,
// debugging, keys, shared memory, other processes' limits ...) fail from now on; calls of another
// architecture kill. Sets no_new_privs.
void filter_system_calls();
// Whether the kernel knows such filters.
bool has_system_call_filters();

// Landlock: may read and execute what it sees, write below `folder` and to /dev, and bind or
// connect nothing. Does nothing where the kernel has no Landlock, since the mounts say the same.
void restrict_files(const char* folder);

// rlimits of one process, and of the number of processes of its user namespace.
void set_limits(const Limits& limits);

// All capabilities.
void drop_capabilities();

}  // namespace qed::sandbox
