#include <algorithm>
#include <cctype>
#include <cstdio>

#include "core/cli/commands.h"
#include "core/cli/render.h"
#include "core/util/words.h"

namespace qed {
namespace {

constexpr char kOverview[] =
    R"(qed trains reasoning models with reinforcement learning from verifiable rewards

  qed train configs/quickstart.toml      run a recipe; the same command resumes it
  qed train configs/quickstart.toml --set algorithm.name=reinforce_pp
                                         the same with another algorithm
  qed plugins                            list tasks, algorithms and samplers
  qed plugins grpo                       the options of one
  qed config configs/quickstart.toml     every value, and where it came from

Try `qed train configs/quickstart.toml`. `qed COMMAND --help` shows options and examples.
)";

struct Command {
  CLI::App* app;
  Run run;
};

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

std::string help_hint(const std::string& hint, const std::string& command) {
  return cat(hint, hint.empty() ? "" : "; ", "`", command, " --help` shows them all");
}

void refuse_extras(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return;
  const std::string& extra = extras.front();
  const std::string command = "qed " + app.get_name();
  if (extra.starts_with("-")) {
    const std::string flag = extra.substr(0, extra.find('='));
    throw Error(cat("unknown flag `", flag, "` of ", command),
                help_hint(closest_hint("flag", nearest(flag, flags_of(app))), command), kExitUsage);
  }
  const bool looks_like_set = extra.find('=') != extra.npos;
  throw Error(cat("unexpected argument `", extra, "` of ", command),
              looks_like_set ? cat("write --set before each override: --set ", extra)
                             : cat("`", command, " --help` shows what it takes"),
              kExitUsage);
}

[[noreturn]] void unknown_command(const std::string& name, const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.app->get_name());
  const bool is_flag = name.starts_with("-");
  std::string hint = closest_hint("command", nearest(name, names));
  if (name.ends_with(".toml")) hint = cat("write `qed train ", name, "`");
  if (is_flag) hint = "flags come after the command";
  throw Error(cat("unknown ", is_flag ? "flag" : "command", " `", name, "`"),
              cat(hint, hint.empty() ? "" : "; ", "`qed` lists the commands"), kExitUsage);
}

// CLI11's sentence in our style.
Error usage_error(const CLI::ParseError& error, const std::string& command) {
  std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    text = cat("`", text.substr(0, text.find(':')), "` of qed ", command, " needs a value");
  }
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  while (text.ends_with('.') || text.ends_with('\n')) text.pop_back();
  return Error(text, cat("`qed ", command, " --help` shows options and examples"), kExitUsage);
}

int dispatch(const std::vector<std::string>& arguments) {
  CLI::App app("qed trains reasoning models with reinforcement learning from verifiable rewards",
               "qed");
  std::vector<Run> runs = {add_train(app, arguments), add_plugins(app), add_config(app),
                           add_version(app)};
  std::vector<Command> commands;
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    command->allow_extras();
    commands.push_back({command, runs.at(commands.size())});
  }
  const std::string first = arguments.empty() ? "" : arguments.front();
  if (first.empty() || first == "--help" || first == "-h" || first == "help") {
    std::fputs(kOverview, stdout);
    return kExitOk;
  }
  const std::string name = first == "--version" ? "version" : first;
  const auto chosen = std::find_if(commands.begin(), commands.end(),
                                   [&](const Command& c) { return c.app->get_name() == name; });
  if (chosen == commands.end()) unknown_command(first, commands);
  // CLI11 takes a vector's arguments from the back.
  std::vector<std::string> rest(arguments.rbegin(), arguments.rend() - 1);
  try {
    chosen->app->parse(rest);
  } catch (const CLI::CallForHelp&) {
    std::fputs(chosen->app->help("qed", CLI::AppFormatMode::Normal).c_str(), stdout);
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    throw usage_error(error, name);
  }
  refuse_extras(*chosen->app);
  return chosen->run();
}

}  // namespace

void add_set_option(CLI::App& command, CommonOptions& options) {
  command
      .add_option("--set", options.sets,
                  "override a key of the run file, for example train.lr=1e-6")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
}

void add_plugin_dir_option(CLI::App& command, CommonOptions& options) {
  command
      .add_option(
          "--plugin-dir", options.plugin_dirs,
          "search this folder for plugins first; before QED_PLUGIN_PATH and the program's own")
      ->allow_extra_args(false)
      ->type_name("FOLDER");
}

int run_program(const std::vector<std::string>& arguments) {
  try {
    return dispatch(arguments);
  } catch (const std::exception& failure) {
    return report_failure(failure);
  }
}

}  // namespace qed
