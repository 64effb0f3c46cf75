#include "core/cli/plugin.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/cli/plugin_check.h"
#include "core/cli/plugin_new.h"
#include "core/util/error.h"

namespace qed {

Run add_plugin(CLI::App& app) {
  CLI::App* group = app.add_subcommand("plugin", "Start and check a plugin of your own");
  const std::vector<Run> runs = {add_plugin_new(*group), add_plugin_check(*group),
                                 add_plugin_check_one(*group), add_plugin_scan(*group),
                                 add_plugin_sandbox(*group)};
  std::vector<std::pair<const CLI::App*, Run>> commands;
  for (const CLI::App* command : group->get_subcommands([](CLI::App*) { return true; })) {
    commands.emplace_back(command, runs.at(commands.size()));
  }
  group->footer("`qed plugin COMMAND --help` shows options and examples.\n");
  return [commands] {
    const auto chosen =
        std::ranges::find_if(commands, [](const auto& entry) { return entry.first->parsed(); });
    QED_CHECK(chosen != commands.end());  // the program has refused the line
    return chosen->second();
  };
}

}  // namespace qed
