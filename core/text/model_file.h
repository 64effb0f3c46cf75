#pragma once

// A JSON file of a Hugging Face folder that may be absent: tokenizer_config.json and its like.
// Every error names the file.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/util/error.h"

namespace qed {

struct ModelFile {
  std::filesystem::path path;
  nlohmann::json json = nlohmann::json::object();  // empty where there is no such file

  // Throws Error when the file is there and is no JSON object.
  explicit ModelFile(std::filesystem::path file);

  // Whether the key is there and not null.
  bool has(const char* key) const { return json.contains(key) && !json.at(key).is_null(); }

  // The text of a token: "<eos>", or {"content": "<eos>", …}; empty where the key is not there.
  // Throws Error for anything else.
  std::optional<std::string> token(const char* key) const;

  // Ids of tokens: 1, or [1, 2]; none where the key is not there. They are integers of any size.
  // Throws Error for anything else.
  std::vector<nlohmann::json> ids(const char* key) const;

  // What is wrong with the file, which the user gave; the hint says how to mend it.
  Error error(const std::string& what) const;
};

}  // namespace qed
