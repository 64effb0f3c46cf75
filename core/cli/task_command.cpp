#include "core/cli/task_command.h"

#include <algorithm>

#include "core/cli/open_host.h"
#include "core/config/load_plugin.h"
#include "core/util/words.h"

namespace qed {

void add_task_options(CLI::App& command, TaskOptions& options, const std::string& name) {
  command.add_option(name, options.task, "a task; `qed plugins` lists them")
      ->type_name(name.starts_with("--") ? "NAME" : "");
  add_set_option(command, options, "set an option of the task, for example digits=2");
  command.add_option("--split", options.split, "the part of the data")
      ->type_name("NAME")
      ->default_str("train");
  add_plugin_dir_option(command, options);
}

OpenTask open_task(const TaskOptions& options, const std::string& command) {
  if (options.task.empty()) {
    throw Error(cat("qed ", command, " needs a task"),
                cat("for example `qed ", command, " arithmetic",
                    command == "verify" ? " < rows.jsonl" : "", "`; `qed plugins` lists the tasks"),
                kExitUsage);
  }
  if (options.task.ends_with(".toml")) {
    throw Error(cat("qed ", command, " takes the name of a task, not a run file"),
                cat("`qed config ", options.task, "` shows the task of the run"), kExitUsage);
  }
  OpenTask open;
  open.host = open_host(options);
  const PluginTable table = load_plugin_options("task", options.task, options.sets, *open.host);
  const Component& component = open.host->load("task", table.name);
  open.task = std::make_unique<Task>(component, table.options.dump(), open.host->abi());
  const std::vector<std::string>& splits = open.task->splits();
  if (std::find(splits.begin(), splits.end(), options.split) == splits.end()) {
    const std::string closest = closest_hint("split", nearest(options.split, splits));
    throw Error(cat("task `", table.name, "` has no split `", options.split, "`"),
                closest.empty() ? cat("it has ", quoted_list(splits, "and")) : closest, kExitUsage);
  }
  open.count = open.task->count(options.split);
  return open;
}

}  // namespace qed
