#include <memory>

#include "core/cli/commands.h"
#include "core/cli/model_options.h"
#include "core/cli/open_engine.h"
#include "core/run/engine.h"
#include "core/util/error.h"

namespace qed {
namespace {

struct ScoreOptions {
  std::string folder, input, dtype = "float32";
  std::int64_t threads = 0, max_tokens = 2048;
  bool is_json = false;
};

int score(const ScoreOptions& options) {
  const ScoreRequest request{.model = options.folder,
                             .input = options.input,
                             .dtype = dtype_option(options.dtype),
                             .threads = at_least(0, options.threads, "--threads"),
                             .max_tokens = at_least(1, options.max_tokens, "--max-tokens"),
                             .is_json = options.is_json};
  return open_engine<EngineScore>(kEngineScoreSymbol)(request);
}

}  // namespace

Run add_score(CLI::App& app) {
  auto options = std::make_shared<ScoreOptions>();  // lives as long as the command line
  CLI::App* command = app.add_subcommand("score", "Log-probs of completions under a model");
  command->add_option("MODEL", options->folder, "a Hugging Face folder")->required()->type_name("");
  command->add_option("--input", options->input, "rows: jsonl, json, csv or parquet")
      ->required()
      ->type_name("FILE");
  command->add_flag("--json", options->is_json, "print a JSON object per row");
  add_model_options(*command, options->dtype, options->threads);
  command
      ->add_option("--max-tokens", options->max_tokens,
                   "tokens per forward; bounds memory, changes no result")
      ->type_name("N");
  command->footer(
      "A row has `prompt` and `completion` (text), or `prompt_ids` and `completion_ids` (lists of\n"
      "token ids, which need no tokenizer, and count where both are there). The rows that\n"
      "`qed generate --json` writes are such rows. With --json each gets {\"logp\": [...],\n"
      "\"entropy\": [...]}, a number per token of the completion, in nats; else a line with sum\n"
      "and means.\n\n"
      "Examples:\n"
      "  qed score models/Qwen3-0.6B --input rows.jsonl\n"
      "  qed score runs/quickstart/checkpoints/1040 --input rows.jsonl --json\n");
  return [options] { return score(*options); };
}

}  // namespace qed
