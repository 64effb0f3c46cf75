#pragma once

// Options of the commands that draw completions with a sampler, perhaps of a task's prompts.

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace qed {

struct SamplerOptions {
  std::string sampler = "standard";
  std::optional<std::string> temperature, top_k, top_p;  // of the sampler, as --set takes them
};

void add_sampler_options(CLI::App& command, SamplerOptions& options);

// Of the arguments of --set those for the sampler, or with kind "task" those for the task:
// `sampler.x`, `task.x`, and `x` alone, which is the task's where there is one. For the sampler
// --temperature and its like are added.
std::vector<std::string> sets_of(const std::string& kind, bool has_task,
                                 const std::vector<std::string>& sets,
                                 const SamplerOptions& options);

}  // namespace qed
