#include "core/host/scan_cache.h"

#include "core/util/error.h"
#include "core/util/files.h"

#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <unistd.h>

namespace qed {

namespace fs = std::filesystem;
using nlohmann::json;

std::string file_stamp(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "";
  return cat(info.st_dev, ":", info.st_ino, ":", info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec,
             ":", info.st_size, ":", info.st_mode);
}

ScanCache::ScanCache(fs::path file, std::string program)
    : file_(std::move(file)), program_(std::move(program)) {
  try {
    if (!file_.empty()) load();
  } catch (const Error&) {
    entries_.clear();  // not there yet
  } catch (const json::exception&) {
    entries_.clear();  // damaged: written anew
  }
}

void ScanCache::load() {
  const json from = json::parse(read_file(file_));
  if (from.at("program") != program_) return;
  for (const json& entry : from.at("files")) {
    ScannedFile result = scan_from_json(entry.at("result"));
    const std::string path = result.path.string();
    entries_[path] = {entry.at("stamp"), std::move(result)};
  }
}

std::optional<ScannedFile> ScanCache::find(const fs::path& path) const {
  const auto found = entries_.find(path.string());
  if (found == entries_.end() || found->second.stamp != file_stamp(path)) return std::nullopt;
  return found->second.result;
}

void ScanCache::put(const ScannedFile& result) {
  entries_[result.path.string()] = {file_stamp(result.path), result};
  is_changed_ = true;
}

void ScanCache::save() {
  if (file_.empty() || !is_changed_) return;
  json files = json::array();
  for (const auto& [path, entry] : entries_) {
    if (entry.stamp.empty() || entry.stamp != file_stamp(path)) continue;
    files.push_back({{"stamp", entry.stamp}, {"result", scan_to_json(entry.result)}});
  }
  // Two runs may save at one time: each has a file of its own until it is whole.
  const fs::path temporary = cat(file_.string(), ".", ::getpid());
  std::error_code ignored;
  fs::create_directories(file_.parent_path(), ignored);
  try {
    write_file(temporary, json({{"program", program_}, {"files", files}}).dump(1) + "\n");
    fs::rename(temporary, file_, ignored);
    if (ignored) fs::remove(temporary, ignored);
  } catch (const Error&) {
    fs::remove(temporary, ignored);  // no place for a cache: the next run scans again
  }
  is_changed_ = false;
}

}  // namespace qed
