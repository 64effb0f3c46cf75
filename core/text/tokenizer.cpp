#include "core/text/tokenizer.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "core/text/text_bridge.h"
#include "core/util/error.h"

namespace qed {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kMendFile = "mend the file, or take it anew from where the model came from";
constexpr const char* kSameModel = "take all files of the folder from the same model";

void take_ids(void* to, const std::int32_t* ids, std::size_t count) noexcept {
  static_cast<std::vector<std::int32_t>*>(to)->assign(ids, ids + count);
}

void take_text(void* to, const char* text, std::size_t size) noexcept {
  static_cast<std::string*>(to)->assign(text, size);
}

// What is wrong with a file that the user gave.
Error file_error(const fs::path& file, const std::string& what, const std::string& hint) {
  return Error(cat(file.string(), ": ", what), hint, kExitUsage);
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// One of the optional JSON files of a model folder; an absent file is an empty object.
struct ConfigFile {
  fs::path path;
  Json json = Json::object();

  explicit ConfigFile(fs::path file) : path(std::move(file)) {
    if (!is_file(path)) return;
    std::ifstream in(path, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    try {
      json = Json::parse(text);
    } catch (const Json::parse_error& e) {
      const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(e.byte, text.size()));
      const auto line = 1 + std::count(text.begin(), end, '\n');
      throw file_error(path, cat("not valid JSON (line ", line, ")"), kMendFile);
    }
    if (!json.is_object()) throw file_error(path, "must be a JSON object", kMendFile);
  }

  bool has(const char* key) const { return json.contains(key) && !json.at(key).is_null(); }

  // The text of a token: "<eos>", or {"content": "<eos>", …}; empty where the key is not there.
  std::optional<std::string> token(const char* key) const {
    if (!has(key)) return std::nullopt;
    const Json& value = json.at(key);
    const Json& text = value.is_object() && value.contains("content") ? value["content"] : value;
    if (!text.is_string()) {
      throw file_error(path, cat("`", key, "` must be the text of a token"), kMendFile);
    }
    return text.get<std::string>();
  }

  // Ids of tokens: 1, or [1, 2]; none where the key is not there. They may be out of range.
  std::vector<Json> ids(const char* key) const {
    if (!has(key)) return {};
    const Json& value = json.at(key);
    const std::vector<Json> ids =
        value.is_array() ? value.get<std::vector<Json>>() : std::vector{value};
    for (const Json& id : ids) {
      if (id.is_number_integer()) continue;
      throw file_error(path, cat("`", key, "` must be a token id or a list of them"), kMendFile);
    }
    return ids;
  }
};

// The id that a JSON integer is, if the tokenizer has it.
std::optional<std::int32_t> known_id(const Json& json, const Tokenizer& tokenizer) {
  const auto wide = json.get<std::int64_t>();
  const auto id = static_cast<std::int32_t>(wide);
  return id == wide && tokenizer.id_to_token(id) ? std::optional(id) : std::nullopt;
}

}  // namespace

void Tokenizer::Free::operator()(qtx_tokenizer* handle) const { qtx_tokenizer_free(handle); }

Tokenizer Tokenizer::open(const fs::path& folder) {
  const fs::path file = folder / "tokenizer.json";
  if (!is_file(file)) {
    throw Error(cat(folder.string(), " has no tokenizer.json"),
                "give a folder with a tokenizer in Hugging Face form", kExitUsage);
  }
  Tokenizer tokenizer;
  tokenizer.name_ = file.string();
  tokenizer.handle_.reset(qtx_tokenizer_open(tokenizer.name_.data(), tokenizer.name_.size()));
  if (!tokenizer.handle_) {
    throw file_error(file, cat("not a tokenizer: ", qtx_last_error()),
                     "write the file anew with the tool that made it");
  }
  tokenizer.vocab_size_ = qtx_tokenizer_vocab_size(tokenizer.handle_.get());
  tokenizer.read_end_tokens(folder);
  return tokenizer;
}

void Tokenizer::read_end_tokens(const fs::path& folder) {
  const ConfigFile own(folder / "tokenizer_config.json");
  const ConfigFile generation(folder / "generation_config.json");
  const ConfigFile model(folder / "config.json");

  if (const auto token = own.token("eos_token")) {
    const auto id = token_to_id(*token);
    if (!id) {
      throw file_error(own.path,
                       cat("`eos_token` is `", *token, "`, which is not in tokenizer.json"),
                       kSameModel);
    }
    stop_ids_.push_back(*id);
  }
  const ConfigFile& more = generation.has("eos_token_id") ? generation : model;
  for (const Json& json : more.ids("eos_token_id")) {
    const auto id = known_id(json, *this);
    if (!id) {
      throw file_error(more.path,
                       cat("`eos_token_id` has ", json, ", which is not in tokenizer.json"),
                       kSameModel);
    }
    stop_ids_.push_back(*id);
  }
  if (stop_ids_.empty()) {
    throw Error(cat("no file in ", folder.string(), " names an end token"),
                "set `eos_token` in tokenizer_config.json", kExitUsage);
  }
  eos_id_ = stop_ids_.front();
  std::sort(stop_ids_.begin(), stop_ids_.end());
  stop_ids_.erase(std::unique(stop_ids_.begin(), stop_ids_.end()), stop_ids_.end());

  // A padding token that the vocabulary lacks is none: -1 is a habit of old folders.
  const auto pad = (generation.has("pad_token_id") ? generation : model).ids("pad_token_id");
  if (const auto token = own.token("pad_token")) pad_id_ = token_to_id(*token);
  if (!pad_id_ && !pad.empty()) pad_id_ = known_id(pad.front(), *this);
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, EncodeMode mode) const {
  std::vector<std::int32_t> ids;
  const int add_special = mode == EncodeMode::kAddSpecial;
  if (qtx_tokenizer_encode(handle_.get(), text.data(), text.size(), add_special, take_ids, &ids)) {
    throw Error(cat("cannot encode with ", name_, ": ", qtx_last_error()),
                "write the text with what is in the vocabulary, or take another tokenizer");
  }
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, DecodeMode mode) const {
  std::string text;
  const int skip_special = mode == DecodeMode::kSkipSpecial;
  if (qtx_tokenizer_decode(handle_.get(), ids.data(), ids.size(), skip_special, take_text, &text)) {
    throw Error(cat("cannot decode with ", name_, ": ", qtx_last_error()));
  }
  return text;
}

std::optional<std::int32_t> Tokenizer::token_to_id(std::string_view token) const {
  const auto id = qtx_tokenizer_token_to_id(handle_.get(), token.data(), token.size());
  return id < 0 ? std::nullopt : std::optional(id);
}

std::optional<std::string> Tokenizer::id_to_token(std::int32_t id) const {
  std::string token;
  if (qtx_tokenizer_id_to_token(handle_.get(), id, take_text, &token)) return std::nullopt;
  return token;
}

}  // namespace qed
