#include <charconv>
#include <cstring>
#include <memory>
#include <optional>

#include "core/cli/devices.h"
#include "core/cli/open_engine.h"
#include "core/cli/open_host.h"
#include "core/cli/render.h"
#include "core/cli/run_folder.h"
#include "core/cli/shell.h"
#include "core/config/load.h"
#include "core/run/engine.h"

namespace qed {
namespace {

struct TrainOptions : CommonOptions {
  std::string file;
  std::string run;
  bool fresh = false;
  bool dry_run = false;
  std::string max_time;
};

// "90s", "10m", "1h30m", or a number of seconds; nothing for "".
std::optional<double> parse_max_time(const std::string& text) {
  if (text.empty()) return std::nullopt;
  double total = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    double number = 0;
    const auto [unit, problem] = std::from_chars(at, end, number);
    const char* const known = unit == end ? "s" : std::strchr("smh", *unit);
    if (problem != std::errc() || known == nullptr || !(number >= 0)) {
      throw Error(cat("--max-time must be a time such as 90s, 10m or 1h30m, not `", text, "`"), "",
                  kExitUsage);
    }
    total += number * (*known == 'h' ? 3600 : *known == 'm' ? 60 : 1);
    at = unit == end ? end : unit + 1;
  }
  return total;
}

std::string command_line(const std::vector<std::string>& arguments) {
  std::string text = program_name();
  for (const std::string& argument : arguments) {
    if (argument != "--fresh") text += " " + quoted(argument);  // the command that resumes
  }
  return text;
}

int train(const TrainOptions& options, const std::string& command) {
  if (options.file.empty()) {
    throw Error("qed train needs a run file", "try `qed train configs/quickstart.toml`",
                kExitUsage);
  }
  const std::optional<double> max_time_s = parse_max_time(options.max_time);
  const auto host = open_host(options);
  LoadReport report;
  const RunConfig config = load_run_config(options.file, options.sets, *host, &report);
  for (const std::string& notice : report.notices) print_notice(notice);
  const std::optional<GpuChoice> gpu = choose_gpu(config.run.device);
  const TrainRequest request{.config = config,
                             .plugins = *host,
                             .run_folder = run_folder(config, options.sets, options.run, *host),
                             .fresh = options.fresh,
                             .dry_run = options.dry_run,
                             .max_time_s = max_time_s,
                             .program = program_name(),
                             .command = command,
                             .gpu = gpu};
  return open_engine<EngineTrain>(kEngineTrainSymbol)(request);
}

}  // namespace

Run add_train(CLI::App& app, const std::vector<std::string>& arguments) {
  auto options = std::make_shared<TrainOptions>();  // lives as long as the command line
  CLI::App* command = app.add_subcommand("train", "Run a recipe; the same command resumes it");
  command->add_option("FILE", options->file, "a run file, for example configs/quickstart.toml")
      ->type_name("");
  add_set_option(*command, *options);
  command
      ->add_option("--run", options->run,
                   "the run folder: a name below runs/, or a path; by default the run's name and "
                   "its overrides")
      ->type_name("NAME_OR_FOLDER");
  command->add_flag("--fresh", options->fresh, "delete what the run folder holds, and start again");
  command->add_flag("--dry-run", options->dry_run,
                    "open and check all that the run needs, print it, and stop");
  command
      ->add_option("--max-time", options->max_time,
                   "stop after the step in which this time ends, all saved: 90s, 10m, 1h30m")
      ->type_name("TIME");
  add_plugin_dir_option(*command, *options);
  command->footer(
      "--set does what writing the key into the file would do: a stage's own value is stronger "
      "than\n"
      "a top-level one. Stages count from 1. Changing a plugin's name keeps the options that the "
      "new\n"
      "plugin has too.\n\n"
      "Examples:\n"
      "  qed train configs/quickstart.toml\n"
      "  qed train configs/quickstart.toml --set algorithm.name=reinforce_pp\n"
      "  qed train configs/quickstart.toml --set train.lr=1e-4 --set stage.2.steps=80 --run slow\n"
      "  qed train my_run.toml --plugin-dir build/plugins\n");
  return
      [options, command_text = command_line(arguments)] { return train(*options, command_text); };
}

}  // namespace qed
