#include "core/cli/plugin_check.h"

#include "core/check/check.h"
#include "core/check/check_report.h"
#include "core/check/child.h"
#include "core/util/error.h"
#include "core/util/files.h"

#include <cstdio>
#include <memory>

namespace qed {
namespace {

struct CheckCommand {
  check::CheckOptions check;
  std::string junit;
  bool is_json = false;
  bool is_list = false;
};

void add_open_options(CLI::App& command, check::OpenOptions& open) {
  command.add_option("FILE", open.file, "the plugin, a shared library")->type_name("");
  command.add_option("--set", open.sets, "an option of the component, for example digits=4")
      ->allow_extra_args(false)
      ->type_name("OPTION=VALUE");
  command.add_option("--seed", open.seed, "of all that is random in the tests")
      ->type_name("N")
      ->capture_default_str();
  command.add_flag("--thorough", open.is_thorough, "test more items and batches, and for longer");
}

int run_check(const CheckCommand& command) {
  if (command.is_list) {
    std::fputs(check::test_list().c_str(), stdout);
    return kExitOk;
  }
  if (command.check.open.file.empty()) {
    throw Error("qed plugin check needs the file of a plugin",
                "for example: qed plugin check build/parity.so", kExitUsage);
  }
  const check::CheckReport report = check::run_checks(command.check);
  const std::string text =
      command.is_json ? check::report_json(report) : check::report_text(report);
  std::fputs(text.c_str(), stdout);
  if (!command.junit.empty()) write_file(command.junit, check::report_junit(report));
  return report.count("failed") == 0 ? kExitOk : kExitPlugin;
}

}  // namespace

Run add_plugin_check(CLI::App& group) {
  auto options = std::make_shared<CheckCommand>();  // lives as long as the command line
  CLI::App* command = group.add_subcommand(
      "check", "Test a plugin: what the ABI asks for, each test in a process of its own");
  add_open_options(*command, options->check.open);
  command->add_flag("--list", options->is_list, "list the tests and exit");
  command
      ->add_option("--include", options->check.include,
                   "run the tests whose names hold a match of this")
      ->type_name("REGEX");
  command->add_option("--exclude", options->check.exclude, "leave out those that match this")
      ->type_name("REGEX");
  command->add_option("--timeout", options->check.timeout_s, "for one test, in seconds")
      ->type_name("S")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--jobs", options->check.num_jobs, "tests at a time; 0: one per core")
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--in-process", options->check.is_in_process,
                    "run the tests in this process, for a debugger");
  command->add_flag("--json", options->is_json, "print JSON");
  command->add_option("--junit", options->junit, "write JUnit's XML to this file as well")
      ->type_name("FILE");
  command->footer(
      "Exit code 3 when a test of level `must` fails.\n\nExamples:\n  qed plugin check "
      "build/parity.so\n  qed plugin check build/parity.so --include '^task[.]' --set digits=4\n");
  return [options] { return run_check(*options); };
}

Run add_plugin_check_one(CLI::App& group) {
  auto job = std::make_shared<check::Job>();
  CLI::App* command = group.add_subcommand("check-one", "");
  command->group("");  // hidden
  add_open_options(*command, job->open);
  command->add_option("--test", job->test, "")->required();
  command->add_option("--component", job->component, "")->required();
  return [job] { return check::run_as_child(*job); };
}

}  // namespace qed
