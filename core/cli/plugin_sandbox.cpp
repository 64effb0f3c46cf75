#include <unistd.h>

#include <thread>

#include "core/cli/plugin.h"
#include "core/sandbox/server.h"

namespace qed {

Run add_plugin_sandbox(CLI::App& group) {
  CLI::App* command = group.add_subcommand("sandbox", "Run programs with limits, for qed itself");
  command->group("");   // hidden
  return []() -> int {  // what is done at the end of a process needs /proc and more
    ::_exit(sandbox::serve(static_cast<int>(std::thread::hardware_concurrency())));
  };
}

}  // namespace qed
