#include <memory>

#include "core/cli/commands.h"
#include "core/cli/model_options.h"
#include "core/cli/open_engine.h"
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
  add_dtype_option(*command, *dtype);
  command->add_option("--threads", request->threads, "0: one per core")->type_name("N");
  command->add_flag("--json", request->is_json, "print a JSON object");
  command->callback([request, kind] { request->kind = kind; });
}

}  // namespace

Run add_bench(CLI::App& app) {
  auto request = std::make_shared<BenchRequest>();  // lives as long as the command line
  auto dtype = std::make_shared<std::string>("float32");
  CLI::App* command = app.add_subcommand("bench", "Time a model on this machine");
  add_kind(*command, "generate", "New tokens per second; the prompts' time counts", request, dtype);
  add_kind(*command, "score", "Tokens per second whose log-probs are computed", request, dtype);
  command->footer(
      "Examples:\n"
      "  qed bench generate --model models/Qwen3-0.6B --batch 16 --prompt 64 --tokens 128\n"
      "  qed bench score --model models/Qwen3-0.6B --batch 4 --prompt 64 --tokens 448 --json\n");
  return [request, dtype] {
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
