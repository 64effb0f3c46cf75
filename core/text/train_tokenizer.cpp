#include "core/text/train_tokenizer.h"

#include <nlohmann/json.hpp>

#include "core/text/text_bridge.h"
#include "core/util/error.h"

namespace qed {
namespace {

void take_text(void* to, const char* text, std::size_t size) noexcept {
  static_cast<std::string*>(to)->assign(text, size);
}

}  // namespace

std::string train_tokenizer(const TokenizerRecipe& recipe, const std::vector<std::string>& texts) {
  QED_CHECK(recipe.kind == "chars" || recipe.kind == "bpe", recipe.kind);
  const std::string json = nlohmann::json{
      {"kind", recipe.kind},
      {"vocab_size", recipe.vocab_size},
      {"special", recipe.special},
      {"tokens", recipe.tokens},
      {"texts", texts}}.dump();
  std::string made;
  if (qtx_tokenizer_train(json.data(), json.size(), take_text, &made)) {
    throw Error(
        cat("cannot make a tokenizer of ", recipe.vocab_size, " tokens: ", qtx_last_error()),
        "give a larger --vocab", kExitUsage);
  }
  return made;
}

}  // namespace qed
