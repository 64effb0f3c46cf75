#include "core/text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "core/text/chat_template.h"
#include "core/text/model_file.h"
#include "core/text/text_bridge.h"
#include "core/util/error.h"

namespace qed {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kSameModel = "take all files of the folder from the same model";

void take_ids(void* to, const std::int32_t* ids, std::size_t count) noexcept {
  static_cast<std::vector<std::int32_t>*>(to)->assign(ids, ids + count);
}

void take_text(void* to, const char* text, std::size_t size) noexcept {
  static_cast<std::string*>(to)->assign(text, size);
}

// What is wrong with a file that the user gave.
Error file_error(const fs::path& file, const std::string& what, const char* hint) {
  return Error(cat(file.string(), ": ", what), hint, kExitUsage);
}

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
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
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
  const ModelFile own(folder / "tokenizer_config.json");
  const ModelFile generation(folder / "generation_config.json");
  const ModelFile model(folder / "config.json");

  if (const auto token = own.token("eos_token")) {
    const auto id = token_to_id(*token);
    if (!id) {
      throw file_error(own.path,
                       cat("`eos_token` is `", *token, "`, which is not in tokenizer.json"),
                       kSameModel);
    }
    stop_ids_.push_back(*id);
  }
  const ModelFile& more = generation.has("eos_token_id") ? generation : model;
  for (const Json& json : more.ids("eos_token_id")) {
    const auto id = known_id(json, *this);
    if (!id) {
      throw file_error(more.path,
                       cat("`eos_token_id` has ", json, ", which is not in tokenizer.json"),
                       kSameModel);
    }
    stop_ids_.push_back(*id);
  }
  if (!stop_ids_.empty()) eos_id_ = stop_ids_.front();
  try {
    if (const auto chat = ChatTemplate::find(folder)) add_end_of_turn(*chat);
  } catch (const Error&) {
    // A template that cannot be read is an error when messages are rendered, not here.
  }
  if (stop_ids_.empty()) {
    throw Error(cat("no file in ", folder.string(), " names an end token"),
                "set `eos_token` in tokenizer_config.json", kExitUsage);
  }
  sort_stop_ids();

  // A padding token that the vocabulary lacks is none: -1 is a habit of old folders.
  const auto pad = (generation.has("pad_token_id") ? generation : model).ids("pad_token_id");
  if (const auto token = own.token("pad_token")) pad_id_ = token_to_id(*token);
  if (!pad_id_ && !pad.empty()) pad_id_ = known_id(pad.front(), *this);
}

void Tokenizer::sort_stop_ids() {
  std::sort(stop_ids_.begin(), stop_ids_.end());
  stop_ids_.erase(std::unique(stop_ids_.begin(), stop_ids_.end()), stop_ids_.end());
}

void Tokenizer::add_end_of_turn(const ChatTemplate& chat) {
  end_of_turn_.reset();
  static constexpr std::string_view kAnswer = "the answer 7a3f";  // no template writes it itself
  std::string text;
  try {
    text = chat.render(cat(R"([{"role": "user", "content": "question"},)",
                           R"({"role": "assistant", "content": ")", kAnswer, "\"}]"),
                       {.add_generation_prompt = false});
  } catch (const Error&) {
    return;  // a template for other conversations
  }
  const auto at = text.rfind(kAnswer);
  if (at == std::string::npos) return;
  const std::string_view rest = std::string_view(text).substr(at + kAnswer.size());
  const auto end = rest.find_first_not_of(" \n");
  if (end == std::string_view::npos) return;
  const auto id = qtx_tokenizer_special_at(handle_.get(), rest.data() + end, rest.size() - end);
  if (id < 0) return;
  end_of_turn_ = id;
  if (stop_ids_.empty()) eos_id_ = id;
  stop_ids_.push_back(id);
  sort_stop_ids();
}

std::string_view Tokenizer::bytes(std::int32_t id) const {
  std::size_t size = 0;
  const std::uint8_t* data = qtx_tokenizer_bytes(handle_.get(), id, &size);
  return {reinterpret_cast<const char*>(data), size};
}

bool Tokenizer::is_special(std::int32_t id) const {
  return qtx_tokenizer_is_special(handle_.get(), id) != 0;
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
