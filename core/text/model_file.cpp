#include "core/text/model_file.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/util/files.h"

namespace qed {

using Json = nlohmann::json;

ModelFile::ModelFile(std::filesystem::path file) : path(std::move(file)) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return;
  const std::string text = read_file(path);
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& e) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(e.byte, text.size()));
    throw error(cat("not valid JSON (line ", 1 + std::count(text.begin(), end, '\n'), ")"));
  }
  if (!json.is_object()) throw error("must be a JSON object");
}

std::optional<std::string> ModelFile::token(const char* key) const {
  if (!has(key)) return std::nullopt;
  const Json& value = json.at(key);
  const Json& text = value.is_object() && value.contains("content") ? value["content"] : value;
  if (!text.is_string()) throw error(cat("`", key, "` must be the text of a token"));
  return text.get<std::string>();
}

std::vector<Json> ModelFile::ids(const char* key) const {
  if (!has(key)) return {};
  const Json& value = json.at(key);
  std::vector<Json> ids = value.is_array() ? value.get<std::vector<Json>>() : std::vector{value};
  for (const Json& id : ids) {
    if (!id.is_number_integer()) {
      throw error(cat("`", key, "` must be a token id or a list of them"));
    }
  }
  return ids;
}

Error ModelFile::error(const std::string& what) const {
  return Error(cat(path.string(), ": ", what),
               "mend the file, or take it anew from where the model came from", kExitUsage);
}

}  // namespace qed
