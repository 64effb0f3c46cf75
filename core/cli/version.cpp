#include "qed/version.h"

#include <cstdio>

#include "core/cli/commands.h"
#include "core/util/error.h"
#include "qed/abi.h"

namespace qed {

Run add_version(CLI::App& app) {
  app.add_subcommand("version", "Print the version of qed and of its plugin ABI");
  return [] {
    std::printf("qed %s (plugin ABI: epoch %u, level %u)\n", QED_VERSION, QED_EPOCH, QED_LEVEL);
    return kExitOk;
  };
}

}  // namespace qed
