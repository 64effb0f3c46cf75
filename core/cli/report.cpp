#include "core/report/report_page.h"

#include <cstdio>
#include <filesystem>
#include <memory>

#include "core/cli/commands.h"
#include "core/cli/run_folder.h"
#include "core/report/run_table.h"
#include "core/util/error.h"
#include "core/util/files.h"

namespace qed {
namespace {

namespace fs = std::filesystem;

struct ReportOptions {
  std::vector<std::string> runs;
  std::string output;
};

// Runs of one name get the folder above into it.
void tell_apart(std::vector<RunData>& runs, const std::vector<fs::path>& folders) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (runs[i].name == runs[j].name) runs[i].name = folders[i].lexically_normal().string();
    }
  }
}

int report(const ReportOptions& options) {
  std::vector<fs::path> folders;
  std::vector<RunData> runs;
  // Several share what a page may hold.
  SampleLimits limits;
  limits.steps = std::max<std::size_t>(2, limits.steps / options.runs.size());
  for (const std::string& run : options.runs) {
    folders.push_back(existing_run(run));
    runs.push_back(read_run(folders.back(), limits));
  }
  tell_apart(runs, folders);
  const fs::path beside = folders.size() == 1 ? folders[0] : folders[0].parent_path();
  const fs::path output = !options.output.empty() ? fs::path(options.output)
                          : folders.size() == 1   ? beside / "report.html"
                                                  : beside / "compare.html";
  write_file(output, report_page(runs));
  std::printf("%s\nreport  %s\n", run_table(runs).c_str(), output.c_str());
  return kExitOk;
}

}  // namespace

Run add_report(CLI::App& app) {
  auto options = std::make_shared<ReportOptions>();  // lives as long as the command line
  CLI::App* command =
      app.add_subcommand("report", "Make the HTML report of a run, or compare several");
  command->add_option("RUN", options->runs, "run folders, or names below runs/")
      ->type_name("")
      ->required();
  command
      ->add_option("-o,--output", options->output,
                   "the page; by default report.html in the run's folder, or compare.html beside "
                   "the first of several")
      ->type_name("FILE");
  command->footer(
      "The page needs no network and no other file. `qed train` writes report.html by itself, with "
      "each\n"
      "checkpoint.\n\n"
      "Examples:\n"
      "  qed report runs/quickstart\n"
      "  qed report runs/*                     one page with the curves of all runs\n"
      "  qed report quickstart slow -o page.html\n");
  return [options] { return report(*options); };
}

}  // namespace qed
