#pragma once

// What every function of the engine begins with.

#include <cstdint>
#include <functional>

namespace qed {

// Runs a command. What LibTorch or the file system throws becomes an exception with a sentence for
// the user.
int engine_call(const std::function<int()>& command);

// Sets the number of threads: `asked`, or one per core where that is 0. LibTorch itself gets one:
// what is left to it is too small for a second pool. [main]
void use_threads(std::int64_t asked);

}  // namespace qed
