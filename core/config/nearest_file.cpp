#include "core/config/nearest_file.h"

#include <algorithm>
#include <iterator>

#include "core/util/words.h"

namespace qed {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& folder, bool wants_folder) {
  std::vector<std::string> names;
  std::error_code ec;
  for (fs::directory_iterator i(folder.empty() ? "." : folder, ec), end; !ec && i != end;
       i.increment(ec)) {
    std::error_code ignored;
    if (!wants_folder || i->is_directory(ignored)) names.push_back(i->path().filename().string());
  }
  std::sort(names.begin(), names.end());  // the system's order is arbitrary
  return names;
}

}  // namespace

std::vector<std::string> nearest_files(const std::string& path, const fs::path& folder) {
  const fs::path whole(path);
  fs::path written, real = whole.is_absolute() ? fs::path() : folder;
  for (auto part = whole.begin(); part != whole.end(); ++part) {
    std::error_code ignored;
    if (fs::exists(real / *part, ignored)) {
      written /= *part;
      real /= *part;
      continue;
    }
    const bool is_last = std::next(part) == whole.end();
    std::vector<std::string> found;
    for (const std::string& name : nearest(part->string(), names_in(real, !is_last))) {
      found.push_back((written / name).string());
    }
    return found;
  }
  return {};
}

std::string closest_file_hint(const std::string& path, const fs::path& folder) {
  const std::vector<std::string> found = nearest_files(path, folder);
  if (found.empty()) return "";
  const bool is_file = fs::path(found.front()).has_extension();
  return closest_hint(is_file ? "file" : "name", found);
}

}  // namespace qed
