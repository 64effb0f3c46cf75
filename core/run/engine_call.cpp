#include "core/run/engine_call.h"

#include "core/util/error.h"
#include "core/util/memory.h"
#include "core/util/parallel.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <filesystem>
#include <thread>

namespace qed {

int engine_call(const std::function<int()>& command) {
  try {
    return command();
  } catch (const std::filesystem::filesystem_error& e) {
    throw Error(e.what(), "check the disk and its permissions, then run the same command again");
  } catch (const c10::Error& e) {  // LibTorch's own; its backtrace helps nobody here
    throw std::logic_error(
        cat("LibTorch: ", e.what_without_backtrace(), " (this is a bug in qed)"));
  }
}

void use_threads(std::int64_t asked) {
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  set_num_threads(asked > 0 ? static_cast<int>(asked) : static_cast<int>(cores));
  keep_freed_memory();
  at::set_num_threads(1);
}

}  // namespace qed
