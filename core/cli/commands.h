#pragma once

// The subcommands of qed. Each adds itself to the command line and returns what to run when it was
// chosen; running returns an exit code or throws Error.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace qed {

using Run = std::function<int()>;

Run add_train(CLI::App& app, const std::vector<std::string>& arguments);
Run add_plugins(CLI::App& app);
Run add_plugin(CLI::App& app);
Run add_config(CLI::App& app);
Run add_items(CLI::App& app);
Run add_verify(CLI::App& app);
Run add_tokenizer(CLI::App& app);
Run add_model(CLI::App& app);
Run add_generate(CLI::App& app);
Run add_eval(CLI::App& app);
Run add_sample(CLI::App& app);
Run add_score(CLI::App& app);
Run add_bench(CLI::App& app);
Run add_chat(CLI::App& app);
Run add_report(CLI::App& app);
Run add_analyze(CLI::App& app);
Run add_devices(CLI::App& app);
Run add_version(CLI::App& app);

// Options that several commands have.
struct CommonOptions {
  std::vector<std::string> sets;
  std::vector<std::string> plugin_dirs;
};
void add_set_option(CLI::App& command, CommonOptions& options,
                    const std::string& help =
                        "override a key of the run file, for example "
                        "train.lr=1e-6");
void add_plugin_dir_option(CLI::App& command, CommonOptions& options);

// The whole program: parses the command line, runs the command, prints errors, returns the exit
// code.
int run_program(const std::vector<std::string>& arguments);

}  // namespace qed
