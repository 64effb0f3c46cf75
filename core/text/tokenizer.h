#pragma once

// The tokenizer of a model folder: text to token ids and back, exactly as the tokenizer.json says.
//
// Ids are in [0, vocab_size()). Text is UTF-8. Every const method may be called from many threads
// at once, starts none, and gives the same result for the same input. [any]

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct qtx_tokenizer;

namespace qed {

class ChatTemplate;

// Whether encode adds the tokens that the tokenizer puts around a text, such as a start token. A
// rendered chat template has its own: then kPlain.
enum class EncodeMode { kPlain, kAddSpecial };

// Whether decode writes special tokens (end, padding, turn marks). Tags such as <think> that are
// tokens of their own but not special are always written.
enum class DecodeMode { kSkipSpecial, kKeepSpecial };

class Tokenizer final {
 public:
  // Reads tokenizer.json, and where they are present tokenizer_config.json (eos_token, pad_token),
  // generation_config.json (eos_token_id, pad_token_id) and config.json (the same two keys, where
  // generation_config.json does not have them), and the chat template. Throws Error naming the file
  // that is missing or not valid, an end token that the vocabulary does not have, or that no file
  // names one.
  static Tokenizer open(const std::filesystem::path& folder);

  Tokenizer(Tokenizer&&) noexcept = default;
  Tokenizer& operator=(Tokenizer&&) noexcept = default;

  // Returns the ids of `text`; no text is lost. A special token spelled out in the text becomes
  // its id. Throws Error naming the character and the tokenizer when a character has no token; a
  // tokenizer that has an unknown token of its own gives that one instead.
  std::vector<std::int32_t> encode(std::string_view text,
                                   EncodeMode mode = EncodeMode::kPlain) const;

  // Returns the text of `ids`, always valid UTF-8: bytes that are no character become U+FFFD.
  // Throws Error when an id has no token.
  std::string decode(std::span<const std::int32_t> ids, DecodeMode mode) const;

  // The largest id plus 1. A model may have more rows than this; those have no token.
  std::int32_t vocab_size() const { return vocab_size_; }

  // The id of a token as the vocabulary writes it; empty where there is none.
  std::optional<std::int32_t> token_to_id(std::string_view token) const;

  // The token of an id as the vocabulary writes it; empty where there is none.
  std::optional<std::string> id_to_token(std::int32_t id) const;

  // The token that ends a completion: tokenizer_config.json's, else the first of stop_ids().
  std::int32_t eos_id() const { return eos_id_; }

  // Every id that ends a completion: what all files name and what the folder's chat template writes
  // after an answer, ascending, never empty.
  const std::vector<std::int32_t>& stop_ids() const { return stop_ids_; }

  // The special token that the chat template writes after an assistant's message, if any.
  std::optional<std::int32_t> end_of_turn() const { return end_of_turn_; }

  // Takes end_of_turn() from another template than the folder's, and adds it to stop_ids().
  void add_end_of_turn(const ChatTemplate& chat);

  // The bytes that a token adds to a text that is not empty: for a byte-level or byte-fallback
  // tokenizer perhaps a part of a character. Empty where no token has the id. Valid as long as the
  // tokenizer. The first call computes the table of all ids.
  std::string_view bytes(std::int32_t id) const;

  // Whether the token is one that DecodeMode::kSkipSpecial leaves out.
  bool is_special(std::int32_t id) const;

  // The padding token, where a file names one that the vocabulary has.
  std::optional<std::int32_t> pad_id() const { return pad_id_; }

 private:
  struct Free {
    void operator()(qtx_tokenizer* handle) const;
  };

  friend class DecodeStream;

  Tokenizer() = default;
  void read_end_tokens(const std::filesystem::path& folder);
  void sort_stop_ids();

  std::string name_;  // path of tokenizer.json, for messages
  std::unique_ptr<qtx_tokenizer, Free> handle_;
  std::int32_t vocab_size_ = 0;
  std::int32_t eos_id_ = 0;
  std::vector<std::int32_t> stop_ids_;
  std::optional<std::int32_t> end_of_turn_, pad_id_;
};

}  // namespace qed
