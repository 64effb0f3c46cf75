#include "core/text/decode_stream.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "tests/text/text_fixture.h"

namespace qed {
namespace {

using Ids = std::vector<std::int32_t>;
using Json = nlohmann::ordered_json;

// U+0100 and up, where byte-level tokenizers write the bytes that are no printable character.
std::string utf8(std::uint32_t c) {
  if (c < 0x80) return {static_cast<char>(c)};
  return {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 0x3f))};
}

Json special(int id, const char* text) {
  return {{"id", id},        {"content", text},     {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

// <eos>, all 256 bytes, and two longer tokens.
Json byte_level() {
  Json vocab = {{"<eos>", 0}};
  std::uint32_t next = 0x100;
  for (std::uint32_t b = 0; b < 256; ++b) {
    const bool is_printable = (b > 32 && b < 127) || (b > 160 && b != 173);
    vocab[utf8(is_printable ? b : next++)] = b + 1;
  }
  vocab["ab"] = 257;
  vocab["ĠðŁĺ"] = 258;
  return {{"version", "1.0"},
          {"added_tokens", Json::array({special(0, "<eos>")})},
          {"decoder",
           {{"type", "ByteLevel"},
            {"add_prefix_space", false},
            {"trim_offsets", true},
            {"use_regex", true}}},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", Json::array()}}}};
}

// <eos>, all 256 bytes as <0xNN>, and pieces with the mark of a space.
Json byte_fallback() {
  Json vocab = {{"<eos>", 0}};
  for (int b = 0; b < 256; ++b) {
    char token[8];
    std::snprintf(token, sizeof token, "<0x%02X>", b);
    vocab[token] = b + 1;
  }
  for (const char* piece : {"▁", "▁▁", "▁a", "a", "é", "▁日本", "\n"}) {
    vocab[piece] = vocab.size();
  }
  return {
      {"version", "1.0"},
      {"added_tokens", Json::array({special(0, "<eos>")})},
      {"decoder",
       {{"type", "Sequence"},
        {"decoders",
         Json::array({{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
                      {{"type", "ByteFallback"}},
                      {{"type", "Fuse"}},
                      {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}})}}},
      {"model",
       {{"type", "BPE"}, {"vocab", vocab}, {"merges", Json::array()}, {"byte_fallback", true}}}};
}

Json metaspace() {
  Json model = byte_fallback();
  model["decoder"] = {
      {"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}, {"split", true}};
  return model;
}

// The text of a WordPiece decoder is known at the end only.
Json word_piece() {
  Json model = byte_fallback();
  model["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  return model;
}

class DecodeStreams : public TextFolder {
 protected:
  Tokenizer open(const Json& tokenizer) const {
    write("tokenizer.json", tokenizer.dump());
    write("tokenizer_config.json", R"({"eos_token": "<eos>"})");
    return Tokenizer::open(folder_);
  }

  // What the pushes give, one by one, and then finish.
  static std::vector<std::string> pieces(const Tokenizer& tokenizer, const Ids& ids,
                                         DecodeMode mode = DecodeMode::kKeepSpecial) {
    DecodeStream stream(tokenizer, mode);
    std::vector<std::string> out;
    for (const auto id : ids) out.push_back(stream.push(id));
    out.push_back(stream.finish());
    return out;
  }
};

TEST_F(DecodeStreams, HoldACharacterUntilItIsWhole) {
  const Tokenizer tokenizer = open(byte_level());
  const Ids smile = {'a' + 1, 0xf0 + 1, 0x9f + 1, 0x98 + 1, 0x80 + 1, 'b' + 1};
  EXPECT_THAT(pieces(tokenizer, smile), ::testing::ElementsAre("a", "", "", "", "😀", "b", ""));
}

TEST_F(DecodeStreams, GiveTheRestAtTheEnd) {
  const Tokenizer tokenizer = open(byte_level());
  EXPECT_THAT(pieces(tokenizer, {258}), ::testing::ElementsAre(" ", "\xEF\xBF\xBD"));
  EXPECT_THAT(pieces(tokenizer, {}), ::testing::ElementsAre(""));
}

TEST_F(DecodeStreams, HoldARunOfByteTokensUntilItEnds) {
  const Tokenizer tokenizer = open(byte_fallback());
  const std::int32_t a = *tokenizer.token_to_id("a");
  EXPECT_THAT(pieces(tokenizer, {a, 0xc3 + 1, 0xa9 + 1, a}),
              ::testing::ElementsAre("a", "", "", "éa", ""));
  EXPECT_THAT(pieces(tokenizer, {a, 0xc3 + 1, a}), ::testing::ElementsAre("a", "",
                                                                          "\xEF\xBF\xBD"
                                                                          "a",
                                                                          ""));
}

TEST_F(DecodeStreams, EqualTheWholeDecodeForRandomIds) {
  std::mt19937 random(5);
  for (const Json& model : {byte_level(), byte_fallback(), metaspace(), word_piece()}) {
    const Tokenizer tokenizer = open(model);
    for (int round = 0; round < 2000; ++round) {
      Ids ids(random() % 12);
      // Half of them close together, so that characters and runs of bytes are frequent.
      const auto size = static_cast<unsigned>(tokenizer.vocab_size());
      for (auto& id : ids) {
        id = static_cast<std::int32_t>(round % 2 ? random() % size : size - 1 - random() % 80);
      }
      for (const auto mode : {DecodeMode::kKeepSpecial, DecodeMode::kSkipSpecial}) {
        std::string text;
        for (const std::string& piece : pieces(tokenizer, ids, mode)) {
          ASSERT_NO_THROW(Json(piece).dump()) << ::testing::PrintToString(ids);  // valid UTF-8
          text += piece;
        }
        ASSERT_EQ(text, tokenizer.decode(ids, mode)) << ::testing::PrintToString(ids);
      }
    }
  }
}

TEST_F(DecodeStreams, GiveNothingForIdsWithoutAToken) {
  const Tokenizer tokenizer = open(byte_level());
  EXPECT_THAT(pieces(tokenizer, {-1, 'a' + 1, 9999}), ::testing::ElementsAre("", "a", "", ""));
}

TEST_F(DecodeStreams, CanBeUsedAgainAfterTheEnd) {
  const Tokenizer tokenizer = open(byte_fallback());
  DecodeStream stream(tokenizer, DecodeMode::kKeepSpecial);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(stream.push(*tokenizer.token_to_id("▁a")), "a");
    EXPECT_EQ(stream.push(*tokenizer.token_to_id("▁a")), " a");
    EXPECT_EQ(stream.finish(), "");
  }
}

TEST_F(DecodeStreams, TokensHaveTheBytesThatTheyAddToAText) {
  const Tokenizer level = open(byte_level());
  for (std::int32_t b = 0; b < 256; ++b) {
    ASSERT_EQ(level.bytes(b + 1), std::string(1, static_cast<char>(b)));
  }
  EXPECT_EQ(level.bytes(0), "<eos>");
  EXPECT_EQ(level.bytes(258), " \xf0\x9f\x98");
  EXPECT_EQ(level.bytes(259), "");
  EXPECT_EQ(level.bytes(-1), "");
  for (const Json& model : {byte_fallback(), metaspace()}) {
    const Tokenizer tokenizer = open(model);
    EXPECT_EQ(tokenizer.bytes(*tokenizer.token_to_id("▁")), " ");
    EXPECT_EQ(tokenizer.bytes(*tokenizer.token_to_id("▁日本")), " 日本");
    EXPECT_EQ(tokenizer.bytes(*tokenizer.token_to_id("a")), "a");
  }
  EXPECT_EQ(open(byte_fallback()).bytes(0xc3 + 1), "\xc3");
  EXPECT_EQ(open(metaspace()).bytes(0xc3 + 1), "<0xC3>");
}

TEST_F(DecodeStreams, SpecialTokensAreKnown) {
  const Tokenizer tokenizer = open(byte_level());
  EXPECT_TRUE(tokenizer.is_special(0));
  EXPECT_FALSE(tokenizer.is_special(1));
  EXPECT_FALSE(tokenizer.is_special(9999));
}

}  // namespace
}  // namespace qed
