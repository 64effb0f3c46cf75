#include <cstdio>
#include <filesystem>
#include <memory>

#include "core/cli/commands.h"
#include "core/cli/render.h"
#include "core/cli/run_folder.h"
#include "core/report/analysis_text.h"
#include "core/util/error.h"

namespace qed {
namespace {

namespace fs = std::filesystem;

struct AnalyzeOptions {
  std::string run;
  std::int64_t rows = 8;
  bool is_eval = false, is_json = false;
};

// The file to read: RUN itself, or one in the folder that RUN names.
fs::path samples_of(const AnalyzeOptions& o) {
  const fs::path folder = existing_run(o.run);
  if (fs::is_regular_file(folder)) return folder;
  const fs::path file = folder / (o.is_eval ? "eval.jsonl" : "samples.jsonl");
  if (fs::exists(file)) return file;
  const std::string hint = "name the folder of a run, for example runs/quickstart";
  if (!fs::exists(folder)) throw Error(cat(folder.string(), " does not exist"), hint, kExitUsage);
  if (fs::exists(folder / "metrics.jsonl")) {
    throw Error(cat(folder.string(), " has no ", file.filename().string(), " yet"),
                o.is_eval ? "evaluations come with `eval.every` in the run file"
                          : "samples come with the first reinforcement step",
                kExitUsage);
  }
  throw Error(cat(folder.string(), " is no run folder: it has no ", file.filename().string()), hint,
              kExitUsage);
}

int analyze(const AnalyzeOptions& o) {
  if (o.rows < 1) throw Error(cat("--rows must be at least 1, not ", o.rows), "", kExitUsage);
  const fs::path file = samples_of(o);
  const FileAnalysis found = analyze_file(file);
  if (found.has_unfinished_line) {
    print_notice(cat(file.string(), ": the last line is not finished and left out"));
  }
  if (found.parts.empty()) {
    throw Error(cat(file.string(), " has no samples yet"),
                "samples come with the first reinforcement step", kExitUsage);
  }
  const char* gap = "";
  for (const auto& [temperature, analysis] : found.parts) {
    if (o.is_json) {
      nlohmann::ordered_json out = {{"file", file.string()}};
      if (temperature) out["temperature"] = *temperature;
      out.update(analysis_json(analysis));
      std::printf("%s\n", out.dump().c_str());
      continue;
    }
    std::printf("%s", gap);
    if (temperature) std::printf("temperature %g\n\n", *temperature);
    std::printf("%s", analysis_tables(analysis, static_cast<std::size_t>(o.rows)).c_str());
    gap = "\n";
  }
  return kExitOk;
}

}  // namespace

Run add_analyze(CLI::App& app) {
  auto options = std::make_shared<AnalyzeOptions>();  // lives as long as the command line
  CLI::App* command =
      app.add_subcommand("analyze", "What a run's completions look like, step by step");
  command
      ->add_option("RUN", options->run,
                   "a run folder, a name below runs/, or a file of `qed eval -o`, `qed sample -o`")
      ->type_name("")
      ->required();
  command->add_flag("--eval", options->is_eval, "the completions of evaluations, not of training");
  command->add_option("--rows", options->rows, "at most so many rows by steps")
      ->type_name("N")
      ->default_str("8");
  command->add_flag("--json", options->is_json,
                    "all numbers, of each step too, as a JSON object; docs/formats.md lists them");
  command->footer(
      "correct, formatted, incorrect: shares of scored completions: right; wrong, with an answer\n"
      "that could be read; without one. tokens, right, wrong: mean length of all, of the right "
      "and\n"
      "of the wrong ones, in tokens. think, answer: mean characters up to </think> and after it.\n"
      "cut: ended by the budget. repeat: SimpleRL's test for repetition. box: with a closed\n"
      "\\boxed{}. mixed: with letters of a script that the prompt does not use.\n\n"
      "Words are counted by the published lists, each under its system's name. right with, right\n"
      "without: share right of completions with and without a word of the list. reflection@k:\n"
      "share of prompts with such a word in a completion; precision: how many of those have a\n"
      "right completion; recall: how many of the prompts with a right completion have such a "
      "word.\n"
      "\n"
      "Examples:\n"
      "  qed analyze quickstart\n"
      "  qed analyze quickstart --eval --rows 4\n"
      "  qed analyze out.jsonl --json\n");
  return [options] { return analyze(*options); };
}

}  // namespace qed
