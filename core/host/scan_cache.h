#pragma once

// Results of scans, kept between runs of the program.

#include "core/host/scan.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace qed {

// One JSON file. A result holds as long as path, device, inode, time and size of the plugin's file
// are the same, and for one `program`: what a build of qed calls itself. A cache that is missing,
// damaged or of another program is empty; one that cannot be written is given up.
class ScanCache {
 public:
  // `file` empty: nothing is kept.
  ScanCache(std::filesystem::path file, std::string program);

  std::optional<ScannedFile> find(const std::filesystem::path& path) const;
  void put(const ScannedFile& result);
  // Writes what has changed, as one step. Results of plugins that are gone are dropped.
  void save();

 private:
  struct Entry {
    std::string stamp;  // of the plugin's file
    ScannedFile result;
  };
  void load();

  std::filesystem::path file_;
  std::string program_;
  std::map<std::string, Entry> entries_;  // by path
  bool is_changed_ = false;
};

// Device, inode, time of change and size of a file as text; empty where there is none.
std::string file_stamp(const std::filesystem::path& path);

}  // namespace qed
