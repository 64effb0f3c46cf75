#include "core/data/data_path.h"

#include "core/util/error.h"
#include "core/util/words.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <system_error>
#include <vector>

namespace qed {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 4;              // of folders that are searched for near names
constexpr std::size_t kMaxNames = 10000;  // that are compared

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_data_file(const fs::path& path) {
  return std::ranges::count(kDataExtensions, path.extension().string()) > 0 && is_file(path);
}

std::vector<fs::path> data_folders() {
  std::vector<fs::path> folders;
  if (const char* variable = std::getenv("QED_DATA_PATH"); variable != nullptr) {
    std::istringstream in(variable);
    for (std::string folder; std::getline(in, folder, ':');) {
      if (!folder.empty()) folders.emplace_back(folder);
    }
  }
  return folders;
}

// The files below a folder that a key may mean.
std::vector<fs::path> matches(const fs::path& folder, const std::string& key) {
  if (is_data_file(folder / key)) return {folder / key};
  std::vector<fs::path> files;
  for (const char* extension : kDataExtensions) {
    if (fs::path file = folder / (key + extension); is_file(file)) files.push_back(file);
  }
  return files;
}

// The keys of the data files below a folder.
void add_keys(const fs::path& folder, std::vector<std::string>& keys) {
  std::error_code ec;
  fs::recursive_directory_iterator i(folder, fs::directory_options::skip_permission_denied, ec);
  for (const fs::recursive_directory_iterator end; !ec && i != end; i.increment(ec)) {
    if (keys.size() >= kMaxNames) return;
    if (i.depth() >= kMaxDepth) i.disable_recursion_pending();
    if (!is_data_file(i->path())) continue;
    keys.push_back(i->path().lexically_relative(folder).replace_extension().string());
  }
}

// The paths of the data files beside one that is not there.
void add_neighbours(const fs::path& path, std::vector<std::string>& paths) {
  const fs::path parent = path.parent_path();
  std::error_code ec;
  fs::directory_iterator i(parent.empty() ? "." : parent, ec);
  for (const fs::directory_iterator end; !ec && i != end; i.increment(ec)) {
    if (paths.size() >= kMaxNames) return;
    if (is_data_file(i->path())) paths.push_back((parent / i->path().filename()).string());
  }
}

[[noreturn]] void not_found(const std::string& name, const std::vector<fs::path>& folders) {
  std::string searched = "looked for the file itself";
  std::vector<std::string> known;
  add_neighbours(name, known);
  for (const fs::path& folder : folders) {
    searched += cat(&folder == &folders.front() ? " and, as a key, below " : ", ", folder.string(),
                    is_folder(folder) ? "" : " (no such folder)");
    add_keys(folder, known);
  }
  std::ranges::sort(known);
  known.erase(std::ranges::unique(known).begin(), known.end());
  const std::string closest = closest_hint("name", nearest(name, known));
  std::string hint = closest;
  if (hint.empty()) {
    hint = folders.empty() ? "give a path, or name the folders of data files in QED_DATA_PATH"
                           : "give a path, or add the folder of the file to QED_DATA_PATH";
  }
  throw Error(cat("no data file `", name, "`: ", searched), hint, kExitUsage);
}

}  // namespace

fs::path find_data_file(const std::string& path_or_key) {
  if (path_or_key.empty()) throw Error("the name of a data file is empty", "", kExitUsage);
  if (is_file(path_or_key)) return path_or_key;
  if (is_folder(path_or_key)) {
    throw Error(cat(path_or_key, " is a folder, not a data file"), "name a file in it", kExitUsage);
  }
  const std::vector<fs::path> folders = data_folders();
  for (const fs::path& folder : folders) {
    const std::vector<fs::path> files = matches(folder, path_or_key);
    if (files.size() > 1) {
      throw Error(cat("`", path_or_key, "` may be ", files[0].string(), " or ", files[1].string()),
                  "give the key with its extension", kExitUsage);
    }
    if (!files.empty()) return files.front();
  }
  not_found(path_or_key, folders);
}

}  // namespace qed
