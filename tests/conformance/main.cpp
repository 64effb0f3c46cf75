// conformance --data DIR [--data DIR...] [-v] [--plugin-dir DIR]: runs every case file of the
// folders against the plugins and prints per file how many cases passed, failed, differ on purpose
// and are not mapped. Exit code 1 when a case fails, 2 on bad usage or a bad file.

#include "core/data/dataset_service.h"
#include "core/util/error.h"
#include "tests/conformance/conformance.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <vector>

namespace qed::conformance {
namespace {

namespace fs = std::filesystem;

const Family* const kFamilies[] = {&kAlgorithms, &kAnswers, &kLatex, &kRewards};
constexpr std::size_t kMaxShown = 10;  // failures per file, with -v

struct Tally {
  std::map<Result, std::size_t> count;
  std::vector<Outcome> failures;
  std::map<std::pair<std::string, std::string>, std::size_t> known,
      not_mapped;  // what, why -> cases

  void add(Outcome outcome) {
    ++count[outcome.result];
    if (outcome.result == Result::kNotMapped) ++not_mapped[{outcome.group, outcome.text}];
    if (outcome.result == Result::kKnown) ++known[{outcome.group, outcome.text}];
    if (outcome.result == Result::kFailed) failures.push_back(std::move(outcome));
  }
};

Tally run_file(PluginHost& host, const fs::path& path) {
  std::ifstream in(path);
  if (!in) throw Error(cat(path.string(), ": cannot be read"), "", kExitUsage);
  const std::string name = path.stem().string();
  const Family* family = nullptr;
  Tally tally;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const Json row = parse_row(line);
    if (row.is_discarded())
      throw Error(cat(path.string(), ":", number, ": not JSON"), "", kExitUsage);
    if (number == 1) {
      const auto takes = [&](const Family* f) { return f->takes(name, row); };
      const auto at = std::ranges::find_if(kFamilies, takes);
      if (at != std::end(kFamilies)) family = *at;
    }
    try {
      Outcome outcome = family == nullptr
                            ? Outcome{Result::kNotMapped, name, "no family takes this file"}
                            : family->run(host, name, row);
      const std::string_view reason = known_difference(row.value("id", ""));
      if (outcome.result == Result::kFailed && !reason.empty()) {
        outcome = {Result::kKnown, outcome.group, std::string(reason)};
      }
      tally.add(std::move(outcome));
    } catch (const Json::exception& error) {
      throw Error(cat(path.string(), ":", number, ": ", error.what()), "", kExitUsage);
    }
  }
  return tally;
}

void print(const std::string& name, Tally& tally, bool is_verbose) {
  std::cout << name << ": " << tally.count[Result::kPassed] << " passed, "
            << tally.count[Result::kFailed] << " failed, " << tally.count[Result::kKnown]
            << " differ on purpose, " << tally.count[Result::kNotMapped] << " not mapped\n";
  if (!is_verbose) return;
  for (std::size_t i = 0; i < std::min(kMaxShown, tally.failures.size()); ++i) {
    std::cout << "  failed: " << tally.failures[i].group << ": " << tally.failures[i].text << "\n";
  }
  for (const auto& [what, n] : tally.known) {
    std::cout << "  differs: " << what.first << ": " << what.second << "\n";
  }
  for (const auto& [what, n] : tally.not_mapped) {
    std::cout << "  not mapped: " << what.first << " (" << n << "): " << what.second << "\n";
  }
}

int run(const std::vector<std::string>& args) {
  std::vector<std::string> folders, plugin_folders;
  bool is_verbose = false;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "-v") {
      is_verbose = true;
    } else if ((args[i] == "--data" || args[i] == "--plugin-dir") && i + 1 < args.size()) {
      auto& list = args[i] == "--data" ? folders : plugin_folders;
      list.push_back(args[++i]);
    } else {
      throw Error(cat("unknown argument `", args[i], "`"), "", kExitUsage);
    }
  }
  if (folders.empty()) throw Error("no cases given: say --data DIR", "", kExitUsage);

  PluginHost host(default_folders(plugin_folders));
  host.add_service(kDatasetService, dataset_service());
  bool has_failed = false;
  for (const std::string& folder : folders) {
    if (!fs::is_directory(folder)) throw Error(cat(folder, ": no such folder"), "", kExitUsage);
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    if (files.empty()) throw Error(cat(folder, ": no *.jsonl in it"), "", kExitUsage);
    for (const fs::path& path : files) {
      Tally tally = run_file(host, path);
      print(path.stem().string(), tally, is_verbose);
      has_failed = has_failed || !tally.failures.empty();
    }
  }
  return has_failed ? kExitRunFailed : kExitOk;
}

}  // namespace

}  // namespace qed::conformance

int main(int argc, char** argv) {
  try {
    return qed::conformance::run({argv + 1, argv + argc});
  } catch (const qed::Error& error) {
    std::cerr << "conformance: " << error.what() << "\n";
    return error.exit_code();
  }
}
