#pragma once

// A tokenizer of one's own, made from texts, for models made from nothing.

#include <cstdint>
#include <string>
#include <vector>

namespace qed {

struct TokenizerRecipe {
  // "chars": a token per character that the texts have; any other character is an error in encode.
  // "bpe": byte-level byte-pair encoding in the form of Qwen2's, which can encode every text.
  std::string kind = "bpe";
  std::int64_t vocab_size =
      0;  // at most so many tokens; 0 (chars): as many as there are characters
  std::vector<std::string> special = {};  // the first ids; decode can leave them out
  std::vector<std::string> tokens =
      {};  // the next ids: texts that are one token each, such as tags
};

// Returns the tokenizer.json, ended by no line feed. The same arguments give the same bytes. Throws
// Error when the size cannot be.
std::string train_tokenizer(const TokenizerRecipe& recipe, const std::vector<std::string>& texts);

}  // namespace qed
