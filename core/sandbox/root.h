#pragma once

// The world that programs see: namespaces and a small read-only tree of files.

#include <cstdint>

namespace qed::sandbox {

// Where a run writes: a file system of its own, with these two folders and the input.
inline constexpr char kBox[] = "/box";
inline constexpr char kWorkFolder[] = "/box/work";
inline constexpr char kTemporaryFolder[] = "/box/tmp";  // /tmp points to it
inline constexpr char kInputFile[] = "/box/stdin";      // /dev/stdin points to it

// Moves the calling process, which must have one thread, into namespaces of users, mounts, network,
// IPC and host name, where all that is left of the files is /usr, the libraries, some of /etc and
// the harmless devices, all read-only. root becomes nobody first. Throws Error with the step that
// this machine does not allow; the process is then of no more use.
void enter_root();

// /proc as it was before: a descriptor of the folder. Programs see none.
int processes_folder();

// In the first process of a run, which was started with CLONE_NEWUSER and CLONE_NEWNS: maps its
// user, and mounts kBox with room for so many bytes and files.
void enter_box(std::uint64_t bytes, std::uint64_t files);

}  // namespace qed::sandbox
