// `qed eval` and `qed sample`: completions of a task's items, scored.

#include <memory>

#include "core/cli/commands.h"
#include "core/cli/model_options.h"
#include "core/cli/open_engine.h"
#include "core/cli/open_host.h"
#include "core/cli/sampler_options.h"
#include "core/config/load_plugin.h"
#include "core/run/engine.h"
#include "core/util/error.h"

namespace qed {
namespace {

struct ScoredOptions : CommonOptions, DrawOptions {
  std::string task, split, output;
  std::int64_t num_items = 256;
  double max_failure_frac = 0.02;
  bool is_json = false, only_right = false;
};

TaskCommand command_of(const ScoredOptions& o, PluginHost& host) {
  if (o.max_new_tokens) at_least(1, *o.max_new_tokens, "--max-new-tokens");
  if (!(o.max_failure_frac >= 0 && o.max_failure_frac <= 1)) {
    throw Error(cat("--max-failure-frac must be between 0 and 1, not ", o.max_failure_frac), "",
                kExitUsage);
  }
  TaskCommand command{
      .model = o.folder,
      .plugins = host,
      .task = load_plugin_options("task", o.task, sets_of("task", true, o.sets, o), host),
      .split = o.split,
      .num_items = at_least(1, o.num_items, "--items"),
      .num_samples = at_least(1, o.num_samples, "-n"),
      .sampler = {},
      .seed = o.seed,
      .max_new_tokens = o.max_new_tokens,
      .max_failure_frac = o.max_failure_frac,
      .output = o.output,
      .is_json = o.is_json,
      .only_right = o.only_right,
      .dtype = dtype_option(o.dtype),
      .threads = at_least(0, o.threads, "--threads"),
      .max_batch = at_least(1, o.max_batch, "--max-batch")};
  command.sampler =
      load_plugin_options("sampler", o.sampler, sets_of("sampler", true, o.sets, o), host);
  return command;
}

// Greedy, unless something was said about the sampler.
int evaluate(ScoredOptions o) {
  const auto host = open_host(o);
  const bool is_default =
      o.sampler == "standard" && !o.temperature && sets_of("sampler", true, o.sets, o).empty();
  if (is_default) o.temperature = "0";
  return open_engine<EngineTask>(kEngineEvalSymbol)(command_of(o, *host));
}

int sample(const ScoredOptions& o) {
  const auto host = open_host(o);
  return open_engine<EngineTask>(kEngineSampleSymbol)(command_of(o, *host));
}

void add_common(CLI::App& command, ScoredOptions& o) {
  add_draw_options(command, o, "item");
  command.add_option("--task", o.task, "gives prompts and scores completions; `qed plugins`")
      ->required()
      ->type_name("NAME");
  command.add_option("--items", o.num_items, "how many, from the first on")
      ->type_name("N")
      ->default_str("256");
  add_set_option(command, o,
                 "an option of the task, or of the sampler, for example sampler.min_p=0.05");
  command
      .add_option("--max-failure-frac", o.max_failure_frac,
                  "of the completions that may fail to be scored")
      ->type_name("X")
      ->default_str("0.02");
  add_engine_options(command, o);
  add_plugin_dir_option(command, o);
}

}  // namespace

Run add_eval(CLI::App& app) {
  auto options = std::make_shared<ScoredOptions>();  // lives as long as the command line
  CLI::App* command = app.add_subcommand("eval", "Test a model on a task's held-out items");
  add_common(*command, *options);
  command->add_option("--split", options->split, "by default the one that runs evaluate on")
      ->type_name("NAME");
  command->add_flag("--json", options->is_json, "the result as a JSON object");
  command->add_option("-o", options->output, "write completions and scores, a line per item")
      ->type_name("FILE");
  command->footer(
      "Greedy unless --temperature says otherwise. Prints mean@n, the share of right completions;\n"
      "with -n above 1 also pass@k and maj@n, each with its standard error over items. Items and\n"
      "random numbers are those of [eval] in a run of the same seed.\n\n"
      "Examples:\n"
      "  qed eval runs/quickstart/checkpoints/1040 --task arithmetic --items 512\n"
      "  qed eval models/Qwen3-0.6B --task gsm8k -n 8 --temperature 0.6 --top-p 0.95 -o "
      "out.jsonl\n");
  return [options] { return evaluate(*options); };
}

Run add_sample(CLI::App& app) {
  auto options = std::make_shared<ScoredOptions>();  // lives as long as the command line
  CLI::App* command = app.add_subcommand("sample", "Write verified completions of a task's items");
  add_common(*command, *options);
  command->add_option("--split", options->split, "by default the one that is trained on")
      ->type_name("NAME");
  command->add_option("-o", options->output, "instead of stdout")->type_name("FILE");
  command->add_flag("--only-right", options->only_right, "leave out what is not right");
  command->footer(
      "Writes a JSON object per completion: prompt, completion, reward, verdict and more. A stage\n"
      "of kind \"sft\" learns from such a file (`data`): rejection sampling. Items that the task\n"
      "holds out for evaluation are left out.\n\n"
      "Example:\n"
      "  qed sample runs/quickstart/checkpoints/1040 --task arithmetic --items 1000 -n 4 "
      "--only-right -o right.jsonl\n");
  return [options] { return sample(*options); };
}

}  // namespace qed
