#pragma once

// What `qed items`, `qed verify` and `qed tokenizer train` share: a task chosen on the command
// line.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "core/cli/commands.h"
#include "core/host/task.h"

namespace qed {

struct TaskOptions : CommonOptions {
  std::string task;
  std::string split = "train";
};

// TASK (or, with another `name`, an option of it), --set, --split and --plugin-dir.
void add_task_options(CLI::App& command, TaskOptions& options, const std::string& name = "TASK");

// A task and the host that keeps its plugin.
struct OpenTask {
  std::unique_ptr<PluginHost> host;
  std::unique_ptr<Task> task;
  std::uint64_t count = 0;  // items of the split, or QED_GENERATIVE
};

// Throws Error for a task, an option or a split that does not exist. `command` is "items".
OpenTask open_task(const TaskOptions& options, const std::string& command);

}  // namespace qed
