#pragma once

// What a plugin's file holds, or why it cannot be loaded, as plain data that outlives the process
// in which the file was loaded.

#include "qed/abi.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace qed {

struct ScannedComponent {
  std::string kind;  // "task", "reward", "algorithm", "sampler"
  std::string id, name, version, summary;
  std::uint32_t flags = 0;  // QED_CONCURRENT ...
};

struct ScannedFile {
  std::filesystem::path path;
  std::string error;  // empty: it loads
  std::string hint;   // what to do about the error
  std::string licence;
  std::uint32_t built_level = 0, need_level = 0;
  std::vector<ScannedComponent> components;

  const ScannedComponent* find(const std::string& kind, const std::string& name) const;
};

// Loads the file in this process: all checks of the loader. Does not throw for a file that is
// refused. [main]
ScannedFile scan_file(const std::filesystem::path& path, const qed_host* host);

nlohmann::json scan_to_json(const ScannedFile& file);
// Throws nlohmann::json::exception where a member is missing or of another type.
ScannedFile scan_from_json(const nlohmann::json& json);

// "concurrent, deterministic": the words of QED_<flag> for people and files.
std::vector<std::string> flag_words(std::uint32_t flags);

}  // namespace qed
