#pragma once

// The resolved config of a run folder, as the file config.toml.

#include <nlohmann/json.hpp>
#include <string>

namespace qed {

// RunConfig::to_json() as TOML; floats keep all their digits.
std::string to_toml(const nlohmann::json& resolved);

// The reverse. `file` is for the message when the text is not TOML.
nlohmann::json from_toml(const std::string& text, const std::string& file);

}  // namespace qed
