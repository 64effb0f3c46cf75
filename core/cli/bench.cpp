#include <memory>

#include "core/cli/commands.h"
#include "core/cli/model_options.h"
#include "core/cli/open_engine.h"
#include "core/cli/open_host.h"
#include "core/config/load_plugin.h"
#include "core/run/engine.h"
#include "core/util/error.h"

namespace qed {
namespace {

// Adds one of the two kinds; fills `request` and sets `chosen` when it is called.
void add_kind(CLI::App& app, const std::string& kind, const std::string& help,
              const std::shared_ptr<BenchRequest>& request,
              const std::shared_ptr<std::string>& dtype) {
  CLI::App* command = app.add_subcommand(kind, help);
  command->add_option("--model", request->model, "a Hugging Face folder")
      ->required()
      ->type_name("DIR");
  const auto count = [&](const char* flag, std::int64_t& value, const char* text) {
    command->add_option(flag, value, text)->type_name("N");
  };
  count("--batch", request->batch, "sequences (default 1)");
  count("--prompt", request->prompt, "tokens of each prompt, random (default 64)");
  count("--tokens", request->tokens, "tokens after each prompt (default 64)");
  count("--repeats", request->repeats, "the fastest of so many counts (default 3)");
  if (kind == "generate") {
    command
        ->add_option("--temperature", request->temperature, "of the draws; 0: greedy (default 1)")
        ->type_name("T");
  }
  add_model_options(*command, *dtype, request->threads);
  command->add_flag("--json", request->is_json, "print a JSON object");
  command->callback([request, kind] { request->kind = kind; });
}

struct TrainBenchOptions : CommonOptions {
  std::string model, algorithm = "grpo", dtype = "float32";
  std::int64_t prompts = 8, group = 8, tokens = 64, steps = 5, threads = 0;
  TrainTable train;
  bool is_chosen = false, is_json = false;
};

void add_train_kind(CLI::App& app, const std::shared_ptr<TrainBenchOptions>& o) {
  CLI::App* command =
      app.add_subcommand("train", "Seconds per step of reinforcement learning, and of its phases");
  command->add_option("--model", o->model, "a Hugging Face folder with its tokenizer")
      ->required()
      ->type_name("DIR");
  const auto count = [&](const char* flag, std::int64_t& value, const char* text) {
    command->add_option(flag, value, text)->type_name("N");
  };
  count("--prompts", o->prompts, "per step, short and of one kind (default 8)");
  count("--group", o->group, "completions of each prompt (default 8)");
  count("--tokens", o->tokens, "of each completion (default 64)");
  count("--steps", o->steps, "the median of all but the first counts (default 5)");
  count("--micro-tokens", o->train.micro_tokens, "as train.micro_tokens");
  command->add_flag("--checkpointing", o->train.checkpointing, "as train.checkpointing");
  add_model_options(*command, o->dtype, o->threads);
  command->add_option("--algorithm", o->algorithm, "a plugin (default grpo)")->type_name("NAME");
  add_set_option(*command, *o, "an option of the algorithm, for example clip_high=0.28");
  add_plugin_dir_option(*command, *o);
  command->add_flag("--json", o->is_json, "print a JSON object");
  command->callback([o] { o->is_chosen = true; });
}

int run_train(const TrainBenchOptions& o) {
  at_least(0, o.threads, "--threads");
  at_least(1, o.prompts, "--prompts");
  at_least(2, o.group, "--group");
  at_least(1, o.tokens, "--tokens");
  at_least(1, o.steps, "--steps");
  at_least(1, o.train.micro_tokens, "--micro-tokens");
  const auto host = open_host(o);
  return open_engine<EngineBenchTrain>(kEngineBenchTrainSymbol)(
      {.model = o.model,
       .plugins = *host,
       .algorithm = load_plugin_options("algorithm", o.algorithm, o.sets, *host),
       .prompts = o.prompts,
       .group = o.group,
       .tokens = o.tokens,
       .steps = o.steps,
       .dtype = dtype_option(o.dtype),
       .threads = o.threads,
       .train = o.train,
       .is_json = o.is_json});
}

}  // namespace

Run add_bench(CLI::App& app) {
  auto request = std::make_shared<BenchRequest>();  // lives as long as the command line
  auto dtype = std::make_shared<std::string>("float32");
  CLI::App* command = app.add_subcommand("bench", "Time a model on this machine");
  add_kind(*command, "generate", "New tokens per second; the prompts' time counts", request, dtype);
  add_kind(*command, "score", "Tokens per second whose log-probs are computed", request, dtype);
  auto train = std::make_shared<TrainBenchOptions>();
  add_train_kind(*command, train);
  command->footer(
      "Examples:\n"
      "  qed bench generate --model models/Qwen3-0.6B --batch 16 --prompt 64 --tokens 128\n"
      "  qed bench score --model models/Qwen3-0.6B --batch 4 --prompt 64 --tokens 448 --json\n"
      "  qed bench train --model models/Qwen3-0.6B --prompts 8 --group 8 --tokens 64\n");
  return [request, dtype, train] {
    if (train->is_chosen) return run_train(*train);
    request->dtype = dtype_option(*dtype);
    at_least(0, request->threads, "--threads");
    at_least(1, request->batch, "--batch");
    at_least(1, request->prompt, "--prompt");
    at_least(1, request->tokens, "--tokens");
    at_least(1, request->repeats, "--repeats");
    if (!(request->temperature >= 0)) {
      throw Error(cat("--temperature must be at least 0, not ", request->temperature), "",
                  kExitUsage);
    }
    return open_engine<EngineBench>(kEngineBenchSymbol)(*request);
  };
}

}  // namespace qed
