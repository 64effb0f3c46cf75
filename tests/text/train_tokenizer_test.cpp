#include "core/text/train_tokenizer.h"

#include <gmock/gmock.h>

#include "core/text/tokenizer.h"
#include "tests/text/text_fixture.h"

namespace qed {
namespace {

using ::testing::ElementsAre;

class TrainedTokenizer : public TextFolder {
 protected:
  Tokenizer train(const TokenizerRecipe& recipe, const std::vector<std::string>& texts) const {
    write("tokenizer.json", train_tokenizer(recipe, texts));
    write("tokenizer_config.json", R"({"eos_token": "<eos>"})");
    return Tokenizer::open(folder_);
  }
};

const std::vector<std::string> kTexts = {
    "<|user|>how many apples? <think>three apples and four apples</think>seven apples",
    "<|user|>how many pears? <think>two pears and two pears</think>four pears é"};

TEST_F(TrainedTokenizer, OfCharactersHasOneTokenForEach) {
  const Tokenizer tokenizer = train(
      {.kind = "chars", .special = {"<eos>"}, .tokens = {"<b>", "<bb>"}}, {"b<bb>a", "a<b>é"});
  EXPECT_EQ(tokenizer.vocab_size(), 6);  // and no < of the tokens
  EXPECT_THAT(tokenizer.encode("<eos><b><bb>abé"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_TRUE(tokenizer.is_special(0));
  EXPECT_FALSE(tokenizer.is_special(1));
  EXPECT_THAT(error([&] { tokenizer.encode("c"); }),
              ::testing::HasSubstr("no token for `c` (U+0063)"));
}

TEST_F(TrainedTokenizer, OfBytePairsEncodesEverythingInFewerTokens) {
  const Tokenizer tokenizer = train(
      {.vocab_size = 300, .special = {"<eos>", "<|user|>"}, .tokens = {"<think>", "</think>"}},
      kTexts);
  EXPECT_LE(tokenizer.vocab_size(), 300);
  EXPECT_GT(tokenizer.vocab_size(), 270);
  EXPECT_EQ(tokenizer.encode("<|user|><think></think><eos>"),
            (std::vector<std::int32_t>{1, 2, 3, 0}));
  EXPECT_EQ(tokenizer.encode(" apples").size(), 1u);
  for (const std::string text : {"any text\n\t: 日本 é", "\x01\x7f", "apples  and 1234"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text), DecodeMode::kKeepSpecial), text);
  }
}

TEST_F(TrainedTokenizer, IsTheSameForTheSameTexts) {
  const TokenizerRecipe recipe = {.vocab_size = 290, .special = {"<eos>"}};
  EXPECT_EQ(train_tokenizer(recipe, kTexts), train_tokenizer(recipe, kTexts));
}

TEST_F(TrainedTokenizer, RefusesASizeThatCannotBe) {
  EXPECT_EQ(error([&] { train_tokenizer({.vocab_size = 200, .special = {"<eos>"}}, kTexts); }),
            "cannot make a tokenizer of 200 tokens: a byte-level vocabulary has at least 257 "
            "tokens here | give a larger --vocab");
  EXPECT_EQ(error([&] { train_tokenizer({.kind = "chars", .vocab_size = 2}, {"abc"}); }),
            "cannot make a tokenizer of 2 tokens: the texts need 3 tokens, one per character | "
            "give a larger --vocab");
}

}  // namespace
}  // namespace qed
