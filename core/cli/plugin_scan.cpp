#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/cli/plugin.h"
#include "core/host/scan.h"
#include "core/host/services.h"
#include "core/util/error.h"

namespace qed {
namespace {

void write_line(int fd, const std::string& line) {
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t n = ::write(fd, line.data() + done, line.size() - done);
    if (n <= 0) ::_exit(kExitRunFailed);  // nobody reads it
    done += static_cast<std::size_t>(n);
  }
}

[[noreturn]] void scan(const std::vector<std::string>& files) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a plugin that hangs must not outlive who waits for it
  const int out = ::dup(STDOUT_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  const HostServices services;
  for (const std::string& file : files) {
    write_line(out, scan_to_json(scan_file(file, services.abi())).dump() + "\n");
  }
  ::_exit(kExitOk);  // what a plugin does at the end of the process does not matter here
}

}  // namespace

Run add_plugin_scan(CLI::App& group) {
  auto files = std::make_shared<std::vector<std::string>>();  // lives as long as the command line
  CLI::App* command = group.add_subcommand("scan", "Print what files hold, as JSON");
  command->group("");  // hidden
  command->add_option("FILE", *files, "plugins")->required()->type_name("");
  return [files]() -> int { scan(*files); };
}

}  // namespace qed
