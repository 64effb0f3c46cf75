#include "core/host/scan.h"

#include "core/host/plugin_host.h"
#include "core/host/scan_cache.h"
#include "core/host/scan_process.h"
#include "tests/host/host_fixture.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <fstream>
#include <string>

namespace qed {
namespace {

namespace fs = std::filesystem;

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kProgram = {QED_BINARY_DIR "/bin/qed", "plugin", "scan"};

class TempFolder {
 public:
  TempFolder() : path_(fs::path(testing::TempDir()) / fs::path(cat("qed_scan_", ::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~TempFolder() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<std::string> errors_of(const std::vector<ScannedFile>& files) {
  std::vector<std::string> out;
  for (const ScannedFile& file : files) out.push_back(file.error);
  return out;
}

// ---- One file ----

TEST(Scan, TellsAllComponentsOfAFile) {
  PluginHost host({});
  const ScannedFile file = scan_file(test_plugins() / "rewards/moody.so", host.abi());
  EXPECT_EQ(file.error, "");
  EXPECT_EQ(file.licence, "Apache-2.0");
  EXPECT_EQ(file.built_level, QED_LEVEL);
  ASSERT_EQ(file.components.size(), 2u);
  const ScannedComponent* groups = file.find("reward", "moody_groups");
  ASSERT_NE(groups, nullptr);
  EXPECT_EQ(groups->id, "dev.qed.test.moody.reward_groups");
  EXPECT_THAT(flag_words(groups->flags),
              ElementsAre("concurrent", "whole_groups", "token_rewards"));
  EXPECT_EQ(file.find("task", "moody_groups"), nullptr);
}

TEST(Scan, KeepsTheReasonOfARefusal) {
  PluginHost host({});
  const ScannedFile file = scan_file(test_plugins() / "algorithms/no_id.so", host.abi());
  EXPECT_THAT(file.error, HasSubstr("its id is empty [P043]"));
  EXPECT_THAT(file.hint, HasSubstr("tell its author"));
  EXPECT_TRUE(file.components.empty());
}

TEST(Scan, SurvivesTheWayThroughJson) {
  PluginHost host({});
  for (const char* name : {"rewards/moody.so", "algorithms/no_id.so"}) {
    const ScannedFile file = scan_file(test_plugins() / name, host.abi());
    const ScannedFile back = scan_from_json(nlohmann::json::parse(scan_to_json(file).dump()));
    EXPECT_EQ(scan_to_json(back), scan_to_json(file));
    EXPECT_EQ(back.path, file.path);
  }
  EXPECT_THROW(scan_from_json(nlohmann::json::parse(R"({"path":3})")), nlohmann::json::exception);
}

// ---- In children ----

TEST(ScanInChildren, OneThatEndsItsProcessHasThatAsItsReasonAndTheOthersGoOn) {
  const fs::path fatal = test_plugins() / "fatal", good = product_plugins();
  const auto files = scan_in_children(
      kProgram,
      std::vector<fs::path>{good / "algorithms/grpo.so", fatal / "crash.so", fatal / "exit.so",
                            test_plugins() / "algorithms/no_id.so", good / "samplers/standard.so"},
      milliseconds(60'000));
  ASSERT_EQ(files.size(), 5u);
  EXPECT_NE(files[0].find("algorithm", "grpo"), nullptr);
  EXPECT_EQ(files[1].error,
            cat("cannot load plugin ", (fatal / "crash.so").string(),
                ": it killed the process that loaded it (signal 6, Aborted) [P036]"));
  EXPECT_EQ(files[2].error, cat("cannot load plugin ", (fatal / "exit.so").string(),
                                ": it ended the process that loaded it (exit code 7) [P036]"));
  EXPECT_THAT(files[3].error, HasSubstr("[P043]"));
  EXPECT_NE(files[4].find("sampler", "standard"), nullptr);
}

TEST(ScanInChildren, OneThatHangsIsGivenUp) {
  const fs::path hang = test_plugins() / "fatal/hang.so";
  const auto files = scan_in_children(kProgram, std::vector<fs::path>{hang}, milliseconds(300));
  EXPECT_THAT(errors_of(files), ElementsAre(cat("cannot load plugin ", hang.string(),
                                                ": it took more than 300 ms to load [P037]")));
}

TEST(ScanInChildren, LinesThatAreNoResultAreSkipped) {
  const std::string script =
      R"(for f; do echo noise; echo '{"path":"","error":"'$f'","hint":"","licence":"","built_level":1,"need_level":1,"components":[]}'; done)";
  const auto files = scan_in_children({"/bin/sh", "-c", script, "sh"},
                                      std::vector<fs::path>{"a", "b"}, milliseconds(60'000));
  EXPECT_THAT(errors_of(files), ElementsAre("a", "b"));
  EXPECT_EQ(files[1].path, "b");
}

TEST(ScanInChildren, AProgramThatCannotStartIsAnError) {
  const auto f = failure_of(
      [] { scan_in_children({"/no/such/qed"}, std::vector<fs::path>{"a"}, milliseconds(1000)); });
  EXPECT_EQ(f.message, "cannot start `/no/such/qed` to scan plugins: No such file or directory");
}

// ---- The cache ----

ScannedFile made_up(const fs::path& path, const std::string& error) {
  ScannedFile file;
  file.path = path;
  file.error = error;
  return file;
}

TEST(ScanCache, KeepsResultsFailuresTooUntilTheFileChanges) {
  const TempFolder folder;
  std::ofstream(folder / "a.so") << "one";
  {
    ScanCache cache(folder / "cache/plugins.json", "qed 1");
    cache.put(made_up(folder / "a.so", "broken"));
    cache.save();
  }
  ScanCache cache(folder / "cache/plugins.json", "qed 1");
  ASSERT_TRUE(cache.find(folder / "a.so").has_value());
  EXPECT_EQ(cache.find(folder / "a.so")->error, "broken");
  EXPECT_FALSE(cache.find(folder / "b.so").has_value());
  std::ofstream(folder / "a.so") << "another length";
  EXPECT_FALSE(cache.find(folder / "a.so").has_value());
}

TEST(ScanCache, AnotherBuildOfTheProgramStartsAnew) {
  const TempFolder folder;
  std::ofstream(folder / "a.so") << "one";
  ScanCache cache(folder / "plugins.json", "qed 1");
  cache.put(made_up(folder / "a.so", ""));
  cache.save();
  EXPECT_TRUE(ScanCache(folder / "plugins.json", "qed 1").find(folder / "a.so").has_value());
  EXPECT_FALSE(ScanCache(folder / "plugins.json", "qed 2").find(folder / "a.so").has_value());
}

TEST(ScanCache, ADamagedFileIsEmptyAndWrittenAnew) {
  const TempFolder folder;
  std::ofstream(folder / "a.so") << "one";
  for (const std::string bytes :
       {"", "{", "[]", R"({"program":"qed 1","files":[{}]})", "\xFF\xFE"}) {
    std::ofstream(folder / "plugins.json", std::ios::trunc) << bytes;
    ScanCache cache(folder / "plugins.json", "qed 1");
    EXPECT_FALSE(cache.find(folder / "a.so").has_value()) << bytes;
    cache.put(made_up(folder / "a.so", ""));
    cache.save();
    EXPECT_TRUE(ScanCache(folder / "plugins.json", "qed 1").find(folder / "a.so").has_value());
  }
}

TEST(ScanCache, WhatCannotBeWrittenIsGivenUp) {
  ScanCache cache("/proc/no/such/plugins.json", "qed 1");
  cache.put(made_up(product_plugins() / "algorithms/grpo.so", ""));
  cache.save();
  ScanCache none("", "qed 1");
  none.save();
}

// ---- The folders ----

TEST(PluginHostScan, IsTakenFromTheCacheUnlessItMustBeFresh) {
  const TempFolder folder;
  fs::create_directories(folder / "samplers");
  fs::copy_file(product_plugins() / "samplers/standard.so", folder / "samplers/standard.so");
  ScanSettings settings{.command = kProgram,
                        .cache = folder / "plugins.json",
                        .program = "qed test",
                        .timeout = milliseconds(60'000)};
  EXPECT_EQ(PluginHost({folder.path()}, settings).scan().size(), 1u);
  settings.command = {"/no/such/qed"};  // nothing is left to scan
  EXPECT_EQ(PluginHost({folder.path()}, settings).scan().size(), 1u);
  settings.is_fresh = true;
  PluginHost fresh({folder.path()}, settings);
  EXPECT_THROW(fresh.scan(), Error);
}

TEST(PluginHostScan, ListsEachFileOnceInTheOrderOfSearch) {
  PluginHost host({product_plugins() / "samplers", product_plugins(), product_plugins()});
  std::vector<fs::path> paths;
  for (const ScannedFile& file : host.scan()) {
    if (file.path.parent_path().filename() == "samplers") paths.push_back(file.path.filename());
  }
  EXPECT_THAT(paths, testing::Contains("standard.so").Times(1));
  EXPECT_EQ(host.scan().front().path.parent_path(), product_plugins() / "samplers");
}

TEST(PluginHostScan, FindsAComponentInAFileOfAnotherName) {
  PluginHost host({test_plugins()});
  EXPECT_EQ(host.where("reward", "moody_groups"), test_plugins() / "rewards/moody.so");
  EXPECT_EQ(host.where("reward", "moody"), test_plugins() / "rewards/moody.so");
  EXPECT_EQ(host.where("reward", "nobody"), "");
  const Component& groups = host.load("reward", "moody_groups");
  EXPECT_EQ(groups.spec.name, "moody_groups");
  EXPECT_EQ(groups.plugin, host.load("reward", "moody").plugin);  // one file, loaded once
}

TEST(PluginHostScan, TheFirstOfTwoPluginsOfOneNameHidesTheOther) {
  const TempFolder folder;
  fs::create_directories(folder / "samplers");
  fs::copy_file(product_plugins() / "samplers/standard.so", folder / "samplers/standard.so");
  PluginHost host({folder.path(), product_plugins()});
  EXPECT_EQ(host.where("sampler", "standard"), folder / "samplers/standard.so");
  EXPECT_EQ(host.load("sampler", "standard").path, (folder / "samplers/standard.so").string());
}

TEST(PluginHostScan, WhatIsRefusedIsRefusedTheSecondTimeToo) {
  PluginHost host({test_plugins()});
  for (int i = 0; i < 2; ++i) {  // its constructors run once
    const auto f = failure_of([&] { host.load("algorithm", "fast_math"); });
    EXPECT_THAT(f.message, HasSubstr("[P031]"));
  }
}

}  // namespace
}  // namespace qed
