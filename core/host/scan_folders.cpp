#include "core/host/scan_folders.h"

#include "core/host/file_check.h"
#include "core/host/scan_cache.h"
#include "core/host/scan_process.h"
#include "qed/version.h"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace qed {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> all_files(const std::vector<fs::path>& folders) {
  std::vector<fs::path> out;
  std::set<std::string> seen;
  const auto add = [&](const fs::path& folder) {
    for (const fs::path& path : plugin_files(folder)) {
      if (seen.insert(file_stamp(path)).second) out.push_back(path);
    }
  };
  for (const fs::path& folder : folders) {
    for (const char* kind : kPluginKinds) add(folder / cat(kind, "s"));
    add(folder);
  }
  return out;
}

// Why the file is refused as it lies there, if it is.
std::optional<ScannedFile> refused(const fs::path& path) {
  try {
    check_file(path);
  } catch (const Error& error) {
    ScannedFile out;
    out.path = path;
    out.error = error.what();
    out.hint = error.hint();
    return out;
  }
  return std::nullopt;
}

}  // namespace

std::vector<fs::path> plugin_files(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code ec, ignored;
  for (fs::directory_iterator i(folder, ec), end; !ec && i != end; i.increment(ec)) {
    const fs::path& path = i->path();
    if (path.extension() == ".so" && fs::is_regular_file(path, ignored)) out.push_back(path);
  }
  std::ranges::sort(out);
  return out;
}

std::vector<ScannedFile> scan_folders(const std::vector<fs::path>& folders,
                                      const ScanSettings& settings, const qed_host* host) {
  ScanCache cache(settings.cache, settings.program);
  std::vector<ScannedFile> out;
  std::vector<std::size_t> open;  // places in `out` that only loading can fill
  std::vector<fs::path> files;
  for (const fs::path& path : all_files(folders)) {
    auto known = settings.is_fresh ? std::nullopt : cache.find(path);
    if (!known) known = refused(path);
    if (!known && settings.command.empty()) known = scan_file(path, host);
    if (!known) {
      open.push_back(out.size());
      files.push_back(path);
    }
    out.push_back(known.value_or(ScannedFile{}));
  }
  if (files.empty()) return out;
  std::vector<ScannedFile> results = scan_in_children(settings.command, files, settings.timeout);
  for (std::size_t i = 0; i < open.size(); ++i) {
    cache.put(results[i]);
    out[open[i]] = std::move(results[i]);
  }
  cache.save();
  return out;
}

ScanSettings default_scan_settings() {
  ScanSettings settings;
  std::error_code ec;
  const fs::path program = fs::read_symlink("/proc/self/exe", ec);
  if (ec || program.filename() != "qed") return settings;
  settings.command = {program.string(), "plugin", "scan"};
  settings.program = cat("qed ", QED_VERSION, " ", file_stamp(program));
  const char *cache = std::getenv("QED_CACHE"), *home = std::getenv("HOME");
  if (cache != nullptr && *cache != '\0') {
    settings.cache = fs::path(cache) / "plugins.json";
  } else if (home != nullptr && *home != '\0') {
    settings.cache = fs::path(home) / ".cache/qed/plugins.json";
  }
  return settings;
}

}  // namespace qed
