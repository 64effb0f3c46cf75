#pragma once

// Options of the commands that draw completions with a sampler, perhaps of a task's prompts.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qed {

struct SamplerOptions {
  std::string sampler = "standard";
  std::optional<std::string> temperature, top_k, top_p;  // of the sampler, as --set takes them
};

// What `qed generate`, `qed eval` and `qed sample` have in common.
struct DrawOptions : SamplerOptions {
  std::string folder, dtype = "float32";
  std::int64_t num_samples = 1, threads = 0, max_batch = 256;
  std::optional<std::int64_t> max_new_tokens;
  std::uint64_t seed = 1;
};

// MODEL, and how to draw; `item` is what `-n` counts the completions of.
void add_draw_options(CLI::App& command, DrawOptions& options, const std::string& item);
// What changes no completion: weights in memory, threads, batch.
void add_engine_options(CLI::App& command, DrawOptions& options);

// Of the arguments of --set those for the sampler, or with kind "task" those for the task:
// `sampler.x`, `task.x`, and `x` alone, which is the task's where there is one. For the sampler
// --temperature and its like are added.
std::vector<std::string> sets_of(const std::string& kind, bool has_task,
                                 const std::vector<std::string>& sets,
                                 const SamplerOptions& options);

}  // namespace qed
