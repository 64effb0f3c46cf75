#pragma once

// Run files in a folder of their own, and plugins that exist on paper only.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/config/load.h"
#include "core/util/error.h"

namespace qed {

class PaperPlugins final : public ComponentFinder {
 public:
  PaperPlugins() {
    const OptionSpec digits{
        .name = "digits", .type = OptionType::kInt, .default_value = 3, .min = 1, .max = 9};
    const OptionSpec working{
        .name = "working", .type = OptionType::kFloat, .default_value = 0.5, .min = 0, .max = 1};
    const OptionSpec clip_low{
        .name = "clip_low", .type = OptionType::kFloat, .default_value = 0.2, .min = 0, .max = 1};
    const OptionSpec clip_high{
        .name = "clip_high", .type = OptionType::kFloat, .default_value = 0.2, .min = 0};
    OptionSpec small_clip_low = clip_low;
    small_clip_low.max = 0.1;
    small_clip_low.default_value = 0.1;
    add("task", "sums", {digits, working});
    add("task", "words", {{.name = "path", .help = "of the word list"}});
    add("algorithm", "grpo", {clip_low, clip_high});
    add("algorithm", "plain", {clip_low});
    add("algorithm", "timid", {small_clip_low, clip_high});
    add("sampler", "standard",
        {{.name = "temperature", .type = OptionType::kFloat, .default_value = 1.0, .min = 0}});
    add("reward", "soft_overlong",
        {{.name = "cache", .type = OptionType::kInt, .default_value = 100, .min = 1}});
    add("reward", "length", {});
  }

  const ComponentSpec& find(const std::string& kind, const std::string& name) override {
    const auto found = specs_.find({kind, name});
    if (found != specs_.end()) return found->second;
    throw Error(cat("no ", kind, " is called `", name, "`"), "`qed plugins` lists them",
                kExitPlugin);
  }

 private:
  void add(const std::string& kind, const std::string& name, std::vector<OptionSpec> options) {
    specs_[{kind, name}] = {kind, name, "1.0.0", "", std::move(options)};
  }

  std::map<std::pair<std::string, std::string>, ComponentSpec> specs_;
};

// Works in a folder that holds model.json; the run file is called x.toml there.
class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() : old_folder_(std::filesystem::current_path()) {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) /
              cat("qed_", info->test_suite_name(), "_", info->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    std::filesystem::current_path(folder_);
    std::ofstream("model.json") << "{}";
  }
  ~ConfigTest() override {
    std::filesystem::current_path(old_folder_);
    std::filesystem::remove_all(folder_);
  }

  static void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::absolute(file).parent_path());
    std::ofstream(file) << text;
  }

  RunConfig load(const std::string& text, const std::vector<std::string>& sets = {}) {
    std::ofstream("x.toml") << text;
    report_ = {};
    return load_run_config("x.toml", sets, plugins_, &report_);
  }

  // The full text of what is wrong with a run file.
  std::string error_of(const std::string& text, const std::vector<std::string>& sets = {}) {
    try {
      load(text, sets);
    } catch (const Error& error) {
      exit_code_ = error.exit_code();
      EXPECT_EQ(error.hint(), "");
      return error.what();
    }
    return "no error";
  }

  // Where a value came from, by the report of the last load.
  std::string origin_of(const std::string& table, const std::string& key) const {
    for (const ResolvedValue& value : report_.values) {
      if (value.table == table && value.key == key) return value.origin;
    }
    return "not there";
  }

  // Nine lines that every file of these tests can begin with: tables that are fine.
  static std::string head() {
    return "[model]\nconfig = \"model.json\"\n"
           "[task]\nname = \"sums\"\n"
           "[algorithm]\nname = \"grpo\"\n"
           "[sampler]\nname = \"standard\"\n\n";
  }
  static std::string rl() { return "[[stage]]\nkind = \"rl\"\nsteps = 4\n"; }
  static std::string sft() { return "[[stage]]\nkind = \"sft\"\nsteps = 4\ndemonstrations = 8\n"; }

  PaperPlugins plugins_;
  LoadReport report_;
  int exit_code_ = 0;

 private:
  std::filesystem::path old_folder_, folder_;
};

}  // namespace qed
