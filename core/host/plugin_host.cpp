#include "core/host/plugin_host.h"

#include "core/host/component_check.h"
#include "core/host/load_problem.h"
#include "core/host/plugin_call.h"
#include "core/host/plugin_file.h"
#include "core/host/scan_folders.h"
#include "core/util/words.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

namespace qed {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

}  // namespace

PluginHost::PluginHost(std::vector<fs::path> folders, ScanSettings scan)
    : folders_(std::move(folders)), scan_settings_(std::move(scan)) {}

PluginHost::~PluginHost() = default;

std::optional<fs::path> PluginHost::named_file(const std::string& kind,
                                               const std::string& name) const {
  for (const fs::path& folder : folders_) {
    for (const fs::path& path : {folder / (kind + "s") / (name + ".so"), folder / (name + ".so")}) {
      if (is_file(path)) return path;
    }
  }
  return std::nullopt;
}

const ScannedFile* PluginHost::scanned_file(const std::string& kind, const std::string& name) {
  for (const ScannedFile& file : scan()) {
    if (file.find(kind, name) != nullptr) return &file;
  }
  return nullptr;
}

void PluginHost::not_found(const std::string& kind, const std::string& name) {
  std::string searched;
  for (const fs::path& folder : folders_) {
    std::error_code ignored;
    searched += cat(searched.empty() ? "" : ", ", folder.string(),
                    fs::is_directory(folder, ignored) ? "" : " (no such folder)");
  }
  std::set<std::string> known;
  for (const ScannedFile& file : scan()) {
    for (const ScannedComponent& c : file.components) {
      if (c.kind == kind) known.insert(c.name);
    }
  }
  const std::string closest = closest_hint(kind, nearest(name, {known.begin(), known.end()}));
  throw Error(
      cat("no ", kind, " is called `", name, "`; searched ",
          searched.empty() ? "no folder at all" : searched),
      closest.empty() ? "`qed plugins` lists them; `--plugin-dir FOLDER` adds a folder" : closest,
      kExitPlugin);
}

const qed_plugin& PluginHost::open(const fs::path& path) {
  const qed_plugin*& plugin = files_[file_id(path)];
  if (plugin == nullptr) plugin = load_plugin_file(path, abi());
  return *plugin;
}

const Component* PluginHost::take(const fs::path& path, const std::string& kind,
                                  const std::string& name) {
  const qed_plugin& plugin = open(path);
  const qed_component* component = find_component(plugin, kind, name);
  if (component == nullptr) return nullptr;
  auto& slot = loaded_[{kind, name}];
  slot = std::make_unique<Component>(
      Component{path.string(), &plugin, component, component_spec(*component)});
  return slot.get();
}

const Component& PluginHost::load(const std::string& kind, const std::string& name) {
  QED_CHECK(!kind_id(kind).empty(), "kind is ", kind);
  if (const auto found = loaded_.find({kind, name}); found != loaded_.end()) return *found->second;
  if (!is_component_name(name)) {
    throw Error(
        cat("`", name, "` is not the name of a plugin"),
        "a name has letters, digits, _ and - only; `--plugin-dir FOLDER` says where to search",
        kExitPlugin);
  }
  const auto named = named_file(kind, name);
  if (named) {
    if (const Component* component = take(*named, kind, name)) return *component;
  }
  if (const ScannedFile* file = scanned_file(kind, name)) {
    const Component* component = take(file->path, kind, name);
    QED_CHECK(component != nullptr, file->path, " has changed since it was scanned");
    return *component;
  }
  if (!named) not_found(kind, name);
  refuse(
      *named,
      {"P047", cat("it holds no ", kind, " `", name, "`; it holds ", list_components(open(*named))),
       "the name in the run file must be the component's name"});
}

const std::vector<ScannedFile>& PluginHost::scan() {
  if (!scanned_) scanned_ = scan_folders(folders_, scan_settings_, abi());
  return *scanned_;
}

fs::path PluginHost::where(const std::string& kind, const std::string& name) {
  if (const auto named = named_file(kind, name)) {
    const std::string id = file_id(*named);
    const auto is_it = [&](const ScannedFile& file) { return file_id(file.path) == id; };
    const auto file = std::ranges::find_if(scan(), is_it);
    const bool is_refused = file != scan().end() && !file->error.empty();
    if (is_refused || (file != scan().end() && file->find(kind, name) != nullptr)) {
      return file->path;
    }
  }
  const ScannedFile* file = scanned_file(kind, name);
  return file == nullptr ? fs::path() : file->path;
}

std::vector<std::string> PluginHost::names(const std::string& kind) const {
  std::set<std::string> names;
  for (const fs::path& folder : folders_) {
    for (const fs::path& path : plugin_files(folder / (kind + "s"))) {
      names.insert(path.stem().string());
    }
  }
  return {names.begin(), names.end()};
}

std::vector<fs::path> default_folders(const std::vector<std::string>& given) {
  std::vector<fs::path> folders(given.begin(), given.end());
  if (const char* variable = std::getenv("QED_PLUGIN_PATH"); variable != nullptr) {
    std::istringstream in(variable);
    for (std::string folder; std::getline(in, folder, ':');) {
      if (!folder.empty()) folders.emplace_back(folder);
    }
  }
  std::error_code ec;
  const fs::path program = fs::read_symlink("/proc/self/exe", ec);
  if (!ec) folders.push_back(program.parent_path().parent_path() / "lib/qed/plugins");
  return folders;
}

}  // namespace qed
