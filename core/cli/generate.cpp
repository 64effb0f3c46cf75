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

struct GenerateOptions : CommonOptions, DrawOptions {
  std::string input, task, split = "train";
  std::optional<std::string> prompt;
  std::optional<std::int64_t> num_items;
  std::int64_t min_new_tokens = 0;
  std::vector<std::string> stop;
  bool keeps_stop = false, is_json = false;
};

void check(const GenerateOptions& o) {
  const int sources = (o.prompt ? 1 : 0) + (o.input.empty() ? 0 : 1) + (o.task.empty() ? 0 : 1);
  if (sources != 1) {
    throw Error(cat("qed generate needs one of --prompt, --input and --task",
                    sources == 0 ? "" : ", not several"),
                "for example `qed generate MODEL --prompt \"Once upon a time\"`", kExitUsage);
  }
  if (o.prompt && o.prompt->empty()) {
    throw Error("the text of --prompt is empty", "a completion needs at least one token before it",
                kExitUsage);
  }
  for (const std::string& text : o.stop) {
    if (text.empty()) throw Error("a text of --stop is empty", "leave it out", kExitUsage);
  }
  if (o.max_new_tokens) at_least(1, *o.max_new_tokens, "--max-new-tokens");
  if (o.max_new_tokens && o.min_new_tokens > *o.max_new_tokens) {
    throw Error(cat("--min-new-tokens ", o.min_new_tokens, " is more than --max-new-tokens ",
                    *o.max_new_tokens),
                "", kExitUsage);
  }
}

int generate(const GenerateOptions& o) {
  check(o);
  const auto host = open_host(o);
  GenerateCommand command{.model = o.folder,
                          .plugins = *host,
                          .prompt = o.prompt,
                          .input = o.input,
                          .task = {},
                          .split = o.split,
                          .num_items = at_least(1, o.num_items.value_or(1), "--items"),
                          .num_samples = at_least(1, o.num_samples, "-n"),
                          .sampler = {},
                          .seed = o.seed,
                          .max_new_tokens = o.max_new_tokens,
                          .min_new_tokens = at_least(0, o.min_new_tokens, "--min-new-tokens"),
                          .stop = o.stop,
                          .keeps_stop = o.keeps_stop,
                          .is_json = o.is_json,
                          .dtype = dtype_option(o.dtype),
                          .threads = at_least(0, o.threads, "--threads"),
                          .max_batch = at_least(1, o.max_batch, "--max-batch")};
  const std::vector<std::string> task_sets = sets_of("task", !o.task.empty(), o.sets, o);
  if (o.task.empty() && !task_sets.empty()) {
    throw Error(cat("--set ", task_sets.front(), " is for a task, and there is no --task"), "",
                kExitUsage);
  }
  if (!o.task.empty()) command.task = load_plugin_options("task", o.task, task_sets, *host);
  command.sampler = load_plugin_options("sampler", o.sampler,
                                        sets_of("sampler", !o.task.empty(), o.sets, o), *host);
  return open_engine<EngineGenerate>(kEngineGenerateSymbol)(command);
}

void add_prompt_options(CLI::App& command, GenerateOptions& o) {
  command.add_option("--prompt", o.prompt, "a text to go on with")->type_name("TEXT");
  command
      .add_option("--input", o.input,
                  "rows with `prompt`, `messages` or `prompt_ids`: jsonl, json, csv or parquet")
      ->type_name("FILE");
  command.add_option("--task", o.task, "prompts of a task")->type_name("NAME");
  command.add_option("--split", o.split, "with --task: the part of its data")
      ->type_name("NAME")
      ->default_str("train");
  command.add_option("--items", o.num_items, "with --task: how many, from the first on")
      ->type_name("N");
}

void add_text_options(CLI::App& command, GenerateOptions& o) {
  add_set_option(command, o,
                 "an option of the sampler or the task, for example sampler.min_p=0.05");
  command.add_option("--min-new-tokens", o.min_new_tokens, "no end before so many")->type_name("N");
  command.add_option("--stop", o.stop, "a text that ends a completion and is cut off; several")
      ->allow_extra_args(false)
      ->type_name("TEXT");
  command.add_flag("--keep-stop", o.keeps_stop, "leave it in the text");
}

}  // namespace

Run add_generate(CLI::App& app) {
  auto options = std::make_shared<GenerateOptions>();  // lives as long as the command line
  CLI::App* command = app.add_subcommand("generate", "Complete prompts with a model");
  add_draw_options(*command, *options, "prompt");
  add_prompt_options(*command, *options);
  add_text_options(*command, *options);
  command->add_flag("--json", options->is_json,
                    "a JSON object per completion: text, ids, log-probs, why it ended");
  add_engine_options(*command, *options);
  add_plugin_dir_option(*command, *options);
  command->footer(
      "A completion depends on the model, the prompt, the options and the seed, and on nothing "
      "else:\n"
      "not on other prompts, their order, or the batch. With --json, `logp` is the log-prob of "
      "each\n"
      "token under the model, `behavior_logp` that of the distribution it was drawn from.\n\n"
      "Examples:\n"
      "  qed generate models/Qwen3-0.6B --prompt \"Once upon a time\" --temperature 0.8\n"
      "  qed generate runs/quickstart/checkpoints/1040 --task arithmetic --items 8 -n 4\n"
      "  qed generate models/Qwen3-0.6B --input rows.jsonl --json --stop \"</answer>\" > "
      "out.jsonl\n");
  return [options] { return generate(*options); };
}

}  // namespace qed
