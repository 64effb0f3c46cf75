#pragma once

// Finds, checks and loads plugins, and holds them for the life of the process.
//
// A component `name` of kind `task` is the file <folder>/tasks/<name>.so or <folder>/<name>.so of
// the first folder that has one. Every check that can be made without running the plugin's code
// (ELF, note with epoch and level) is made before dlopen; a refusal says path, what, expected
// against found, and what to do.

#include "core/config/option.h"
#include "qed/abi.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace qed {

// One loaded component. Valid until the process ends.
struct Component {
  std::string path;
  const qed_plugin* plugin;
  const qed_component* abi;
  ComponentSpec spec;
};

// Not thread-safe: used by the main thread only.
class PluginHost final : public ComponentFinder {
 public:
  // `folders` in the order of search. See default_folders().
  explicit PluginHost(std::vector<std::filesystem::path> folders);
  ~PluginHost() override;

  // Loads at the first call. `kind` is "task", "algorithm" or "sampler". Throws Error with exit
  // code 3.
  const Component& load(const std::string& kind, const std::string& name);
  const ComponentSpec& find(const std::string& kind, const std::string& name) override {
    return load(kind, name).spec;
  }

  // The names that the folders hold for a kind, by file name, sorted, without loading anything.
  // Files outside tasks/, algorithms/ and samplers/ do not tell their kind and are left out.
  std::vector<std::string> names(const std::string& kind) const;

  const qed_host* abi() const;

 private:
  std::filesystem::path find_file(const std::string& kind, const std::string& name) const;

  struct Services;  // what qed_host points to
  std::vector<std::filesystem::path> folders_;
  std::unique_ptr<Services> services_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<Component>> loaded_;
};

// `given` (--plugin-dir), then QED_PLUGIN_PATH, then ../plugins beside the program.
std::vector<std::filesystem::path> default_folders(const std::vector<std::string>& given);

}  // namespace qed
