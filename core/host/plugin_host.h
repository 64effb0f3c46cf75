#pragma once

// Finds, checks and loads plugins, and holds them for the life of the process.
//
// A component `name` of kind `task` is the file <folder>/tasks/<name>.so or <folder>/<name>.so of
// the first folder that has one; else the first file of the folders, and of their kinds' folders,
// that holds a component of this kind and name. Every check that can be made without running the
// plugin's code is made before dlopen; docs/plugins.md lists the checks.

#include "core/config/option.h"
#include "core/host/scan.h"
#include "core/host/services.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qed {

// The kinds of components, in the order in which they are listed.
inline constexpr const char* kPluginKinds[] = {"task", "reward", "algorithm", "sampler"};

// One loaded component. Valid until the process ends.
struct Component {
  std::string path;
  const qed_plugin* plugin;
  const qed_component* abi;
  ComponentSpec spec;
};

// How files are scanned for what they hold.
struct ScanSettings {
  std::vector<std::string> command = {};  // see scan_in_children; empty: in this process
  std::filesystem::path cache = {};       // see ScanCache; empty: none
  std::string program = {};               // see ScanCache
  std::chrono::milliseconds timeout{10'000};
  bool is_fresh = false;  // scan again what the cache knows
};

// The program's own: children of /proc/self/exe where that is qed, and plugins.json in QED_CACHE or
// ~/.cache/qed. Another program scans in its own process.
ScanSettings default_scan_settings();

// Not thread-safe: used by the main thread only.
class PluginHost final : public ComponentFinder {
 public:
  // `folders` in the order of search. See default_folders().
  explicit PluginHost(std::vector<std::filesystem::path> folders,
                      ScanSettings scan = default_scan_settings());
  ~PluginHost() override;

  // Loads at the first call. `kind` is one of kPluginKinds. Throws Error with exit code 3.
  const Component& load(const std::string& kind, const std::string& name);
  const ComponentSpec& find(const std::string& kind, const std::string& name) override {
    return load(kind, name).spec;
  }

  // What all files of the folders hold, in the order of search; each file once. Scans at the first
  // call.
  const std::vector<ScannedFile>& scan();
  // The file whose component load() would take; empty: none. Scans.
  std::filesystem::path where(const std::string& kind, const std::string& name);

  // The names that the folders hold for a kind, by file name, sorted, without loading anything.
  // Files outside the kinds' folders do not tell their kind and are left out.
  std::vector<std::string> names(const std::string& kind) const;

  const qed_host* abi() const { return services_.abi(); }
  // See HostServices::add.
  void add_service(const std::string& id, const void* service) { services_.add(id, service); }

 private:
  std::optional<std::filesystem::path> named_file(const std::string& kind,
                                                  const std::string& name) const;
  const ScannedFile* scanned_file(const std::string& kind, const std::string& name);
  const qed_plugin& open(const std::filesystem::path& path);
  const Component* take(const std::filesystem::path& path, const std::string& kind,
                        const std::string& name);
  [[noreturn]] void not_found(const std::string& kind, const std::string& name);

  std::vector<std::filesystem::path> folders_;
  ScanSettings scan_settings_;
  HostServices services_;
  std::map<std::string, const qed_plugin*> files_;  // by file_id
  std::map<std::pair<std::string, std::string>, std::unique_ptr<Component>> loaded_;
  std::optional<std::vector<ScannedFile>> scanned_;
};

// `given` (--plugin-dir), then QED_PLUGIN_PATH, then ../lib/qed/plugins beside the program: the
// build tree and an installed tree have the same layout.
std::vector<std::filesystem::path> default_folders(const std::vector<std::string>& given);

}  // namespace qed
