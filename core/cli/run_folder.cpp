#include "core/cli/run_folder.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>

#include "core/util/error.h"

namespace qed {
namespace {

constexpr std::size_t kLongestName =
    160;  // file systems stop at 255 bytes; the logs' names come on top

// The config without the name, which is in the folder's name already.
nlohmann::json without_name(const RunConfig& config) {
  nlohmann::json json = config.to_json();
  json["run"].erase("name");
  return json;
}

bool changes_run(const RunConfig& config, std::vector<std::string> sets, std::size_t index,
                 ComponentFinder& finder) {
  sets.erase(sets.begin() + static_cast<std::ptrdiff_t>(index));
  try {
    return without_name(load_run_config(config.file, sets, finder)) != without_name(config);
  } catch (const Error&) {
    return true;  // the file needs it
  }
}

// A long name keeps its beginning and gets a hash of the whole (FNV-1a).
std::string shortened(const std::string& name) {
  if (name.size() <= kLongestName) return name;
  std::uint32_t hash = 2166136261u;
  for (const unsigned char c : name) hash = (hash ^ c) * 16777619u;
  char suffix[16];
  std::snprintf(suffix, sizeof(suffix), "+%08x", hash);
  return name.substr(0, kLongestName) + suffix;
}

}  // namespace

std::filesystem::path existing_run(const std::string& run) {
  const std::filesystem::path named = std::filesystem::path("runs") / run;
  return !std::filesystem::exists(run) && std::filesystem::exists(named)
             ? named
             : std::filesystem::path(run);
}

std::string safe_file_name(const std::string& text) {
  std::string safe;
  for (const unsigned char c : text) {
    const bool stays =
        std::isalnum(c) != 0 || std::string_view("._=+-").find(c) != std::string_view::npos;
    safe += stays ? static_cast<char>(c) : '_';
  }
  return safe;
}

std::filesystem::path run_folder(const RunConfig& config, const std::vector<std::string>& sets,
                                 const std::string& named, ComponentFinder& finder) {
  const std::filesystem::path runs = "runs";
  if (!named.empty())
    return named.find('/') == named.npos ? runs / named : std::filesystem::path(named);
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (changes_run(config, sets, i, finder)) parts.push_back(safe_file_name(sets[i]));
  }
  std::sort(parts.begin(), parts.end());
  std::string name = config.run.name;
  for (const std::string& part : parts) name += "+" + part;
  return runs / shortened(name);
}

}  // namespace qed
