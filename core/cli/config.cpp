#include <algorithm>
#include <cstdio>
#include <memory>

#include "core/cli/open_host.h"
#include "core/cli/render.h"
#include "core/config/load.h"
#include "core/config/tables.h"
#include "core/config/value.h"

namespace qed {
namespace {

struct ConfigOptions : CommonOptions {
  std::string file;
};

// All keys of a run file, from their declarations.
int print_reference() {
  std::printf("The tables of a run file. Each [[stage]] may override those marked with *.\n");
  const auto print = [](const std::string& title, const std::vector<OptionSpec>& options) {
    std::printf("\n%s\n%s", title.c_str(), option_table(options).c_str());
  };
  for (const TableSpec& spec : table_specs()) {
    const auto& stage = stage_tables();
    const bool is_stage_table = std::find(stage.begin(), stage.end(), spec.name) != stage.end();
    print(cat("[", spec.name, "]", is_stage_table ? "* " : " ", spec.help), spec.options);
  }
  print("[[stage]] one after the other", stage_options(""));
  std::printf("\n`qed plugins NAME` shows the options of a plugin.\n");
  return kExitOk;
}

// A run file that says the same, each value with its origin behind it.
int print_resolved(const ConfigOptions& options) {
  const auto host = open_host(options);
  LoadReport report;
  load_run_config(options.file, options.sets, *host, &report);
  for (const std::string& notice : report.notices) print_notice(notice);
  std::size_t width = 0;
  for (const ResolvedValue& value : report.values) {
    width = std::max(width, value.key.size() + 3 + value_text(value.value).size());
  }
  int stage = 0;
  std::string table;
  for (const ResolvedValue& value : report.values) {
    if (value.stage != stage || value.table != table) {
      const bool is_first = &value == &report.values.front();
      std::string title = "[" + value.table + "]";
      if (value.stage > 0)
        title = value.table.empty() ? "[[stage]]" : "[stage." + value.table + "]";
      std::printf("%s%s\n", is_first ? "" : "\n", title.c_str());
      stage = value.stage;
      table = value.table;
    }
    const std::string line = cat(value.key, " = ", value_text(value.value));
    std::printf("%-*s  # %s\n", static_cast<int>(width), line.c_str(), value.origin.c_str());
  }
  return kExitOk;
}

}  // namespace

Run add_config(CLI::App& app) {
  auto options = std::make_shared<ConfigOptions>();  // lives as long as the command line
  CLI::App* command = app.add_subcommand(
      "config", "Print every value of a run file and its origin; without FILE, all keys");
  command->add_option("FILE", options->file, "a run file")->type_name("");
  add_set_option(*command, *options);
  add_plugin_dir_option(*command, *options);
  command->footer(
      "Examples:\n"
      "  qed config                                          all keys with default, range and "
      "meaning\n"
      "  qed config configs/quickstart.toml                  every value of each stage\n"
      "  qed config configs/quickstart.toml --set train.lr=1e-4\n");
  return [options] { return options->file.empty() ? print_reference() : print_resolved(*options); };
}

}  // namespace qed
