#include <algorithm>
#include <cctype>
#include <cstdio>

#include "core/cli/commands.h"
#include "core/cli/render.h"
#include "core/cli/shell.h"
#include "core/util/words.h"

namespace qed {
namespace {

constexpr char kOverview[] =
    R"(qed trains reasoning models with reinforcement learning from verifiable rewards

  $ train configs/quickstart.toml
      run a recipe; the same command resumes it
  $ train configs/quickstart.toml --set algorithm.name=reinforce_pp
      the same with another algorithm, in a folder of its own
  $ config configs/quickstart.toml
      every value of the run, and where it came from
  $ items arithmetic
      prompts of a task, with worked answers
  $ plugins grpo
      what an algorithm does, and its options

Commands:
)";

struct Command {
  CLI::App* app;
  Run run;
};

// What `qed` alone prints: commands that work as they stand, then all there are.
void print_overview(const std::vector<Command>& commands) {
  std::string text = kOverview;
  const std::string program = program_name();
  for (std::size_t at = text.find("$"); at != text.npos; at = text.find("$", at)) {
    text.replace(at, 1, program);
    at += program.size();
  }
  std::size_t width = 0;
  for (const Command& command : commands) width = std::max(width, command.app->get_name().size());
  for (const Command& command : commands) {
    const std::string& name = command.app->get_name();
    text += cat("  ", name, std::string(width - name.size() + 2, ' '),
                command.app->get_description(), "\n");
  }
  text += cat("\nGo on with `", program, " train configs/quickstart.toml`. `", program,
              " COMMAND --help` shows options and examples.\n");
  std::fputs(text.c_str(), stdout);
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
  }
  return flags;
}

std::string help_hint(const std::string& hint, const std::string& command) {
  return cat(hint, hint.empty() ? "" : "; ", "`", command, " --help` shows them all");
}

std::vector<std::string> names_of(const std::vector<CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

constexpr auto kAll = [](const CLI::App*) { return true; };

// What the words after the command say that the command does not take. `command` is "qed train", or
// "qed plugin new" for a command of a group.
void refuse_extras(CLI::App& app, const std::string& command) {
  for (CLI::App* chosen : app.get_subcommands()) {
    return refuse_extras(*chosen, cat(command, " ", chosen->get_name()));
  }
  const std::vector<std::string> names = names_of(app.get_subcommands(kAll));
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty() && names.empty()) return;
  const std::string help = cat("`", command, " --help` shows what it takes");
  if (extras.empty()) throw Error(cat(command, " needs a command"), help, kExitUsage);
  const std::string& extra = extras.front();
  if (extra.starts_with("-")) {
    const std::string flag = extra.substr(0, extra.find('='));
    throw Error(cat("unknown flag `", flag, "` of ", command),
                help_hint(closest_hint("flag", nearest(flag, flags_of(app))), command), kExitUsage);
  }
  if (!names.empty()) {
    throw Error(cat("unknown command `", extra, "` of ", command),
                help_hint(closest_hint("command", nearest(extra, names)), command), kExitUsage);
  }
  std::string hint = help;
  if (extra.find('=') != extra.npos && app.get_option_no_throw("--set") != nullptr) {
    hint = cat("write --set before each override: --set ", extra);
  } else if (app.get_name() == "verify") {
    hint = cat("it reads rows from its input: `", command, " TASK < ", extra, "`");
  }
  throw Error(cat("unexpected argument `", extra, "` of ", command), hint, kExitUsage);
}

void allow_extras(CLI::App& app) {
  app.allow_extras();
  for (CLI::App* command : app.get_subcommands(kAll)) allow_extras(*command);
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
  const std::size_t equals = text.find(" = ");
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr && equals != text.npos) {
    // "Could not convert: NAME = VALUE"
    const std::size_t name = text.find(": ") + 2;
    text = cat("`", text.substr(name, equals - name), "` of qed ", command,
               " must be a whole number, not `", text.substr(equals + 3), "`");
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    // "NAME is required"
    return Error(cat("qed ", command, " needs ", text.substr(0, text.find(' '))),
                 cat("`qed ", command, " --help` shows options and examples"), kExitUsage);
  }
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
  // Braces: the commands are made, and listed, in this order.
  std::vector<Run> runs = {add_train(app, arguments),
                           add_report(app),
                           add_analyze(app),
                           add_config(app),
                           add_items(app),
                           add_verify(app),
                           add_tokenizer(app),
                           add_plugins(app),
                           add_plugin(app),
                           add_model(app),
                           add_generate(app),
                           add_chat(app),
                           add_eval(app),
                           add_sample(app),
                           add_score(app),
                           add_bench(app),
                           add_devices(app),
                           add_version(app)};
  std::vector<Command> commands;
  for (CLI::App* command : app.get_subcommands(kAll)) {
    allow_extras(*command);
    commands.push_back({command, runs.at(commands.size())});
  }
  const std::string first = arguments.empty() ? "" : arguments.front();
  if (first.empty() || first == "--help" || first == "-h" || first == "help") {
    print_overview(commands);
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
    std::string command = name;
    for (const CLI::App* part : chosen->app->get_subcommands()) command += " " + part->get_name();
    throw usage_error(error, command);
  }
  refuse_extras(*chosen->app, cat("qed ", name));
  return chosen->run();
}

}  // namespace

void add_set_option(CLI::App& command, CommonOptions& options, const std::string& help) {
  command.add_option("--set", options.sets, help)->allow_extra_args(false)->type_name("KEY=VALUE");
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
