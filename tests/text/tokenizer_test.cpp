#include "core/text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>

#include "core/text/chat_template.h"
#include "tests/text/text_fixture.h"

namespace qed {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using Ids = std::vector<std::int32_t>;

const fs::path kQuickstart = fs::path(QED_SOURCE_DIR) / "configs/quickstart";
const std::vector<std::string> kVocabulary = {
    "<pad>", "<eos>", "<think>", "</think>", "<answer>", "</answer>", "*", "+", ",", "0", "1",
    "2",     "3",     "4",       "5",        "6",        "7",         "8", "9", "=", "?"};

const Tokenizer& quickstart() {
  static const Tokenizer tokenizer = Tokenizer::open(kQuickstart);
  return tokenizer;
}

std::string text_of(const Ids& ids) {
  std::string text;
  for (const auto id : ids) text += kVocabulary[static_cast<std::size_t>(id)];
  return text;
}

std::string read(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A copy of the quick start's folder to spoil; its messages call the folder FOLDER.
class SpoiledFolder : public TextFolder {
 protected:
  void SetUp() override {
    TextFolder::SetUp();
    for (const auto& entry : fs::directory_iterator(kQuickstart)) fs::copy(entry.path(), folder_);
  }

  std::string open_error() const {
    return error([&] { Tokenizer::open(folder_); });
  }
};

TEST(QuickstartTokenizer, HasExactlyTheTwentyOneTokens) {
  ASSERT_EQ(quickstart().vocab_size(), 21);
  for (std::int32_t id = 0; id < 21; ++id) {
    const std::string& token = kVocabulary[static_cast<std::size_t>(id)];
    EXPECT_EQ(quickstart().id_to_token(id), token);
    EXPECT_EQ(quickstart().token_to_id(token), id);
    EXPECT_EQ(quickstart().encode(token), Ids{id});
  }
  EXPECT_EQ(quickstart().id_to_token(21), std::nullopt);
  EXPECT_EQ(quickstart().token_to_id("<unk>"), std::nullopt);
}

TEST(QuickstartTokenizer, KnowsItsEndAndPaddingTokens) {
  EXPECT_EQ(quickstart().eos_id(), 1);
  EXPECT_THAT(quickstart().stop_ids(), ElementsAre(1));
  EXPECT_EQ(quickstart().pad_id(), 0);
}

TEST(QuickstartTokenizer, EncodesAPromptByCharacter) {
  EXPECT_THAT(quickstart().encode("784+737=?"), ElementsAre(16, 17, 13, 7, 16, 12, 16, 19, 20));
  EXPECT_TRUE(quickstart().encode("").empty());
}

TEST(QuickstartTokenizer, GivesDemonstrationsBackUnchanged) {
  for (const std::string text :
       {"<think>4+7+0=11,8+3+1=12,7+7+1=15,=1521</think><answer>1521</answer>",
        "<think></think><answer>1521</answer>"}) {
    const Ids ids = quickstart().encode(text, EncodeMode::kAddSpecial);
    EXPECT_EQ(ids, quickstart().encode(text));
    EXPECT_EQ(quickstart().decode(ids, DecodeMode::kKeepSpecial), text);
    EXPECT_EQ(quickstart().decode(ids, DecodeMode::kSkipSpecial), text);
  }
}

TEST(QuickstartTokenizer, GivesRandomIdsBackUnchanged) {
  std::mt19937 random(1);
  for (std::size_t length = 0; length < 200; ++length) {
    Ids ids(length);
    for (auto& id : ids) id = static_cast<std::int32_t>(random() % 21);
    const std::string text = quickstart().decode(ids, DecodeMode::kKeepSpecial);
    ASSERT_EQ(text, text_of(ids));
    ASSERT_EQ(quickstart().encode(text), ids);
  }
}

TEST(QuickstartTokenizer, SkipsOnlySpecialTokens) {
  const Ids ids = {2, 3, 4, 9, 5, 1, 0, 0};
  EXPECT_EQ(quickstart().decode(ids, DecodeMode::kSkipSpecial),
            "<think></think><answer>0</answer>");
  EXPECT_EQ(quickstart().decode(ids, DecodeMode::kKeepSpecial),
            "<think></think><answer>0</answer><eos><pad><pad>");
}

TEST(QuickstartTokenizer, NamesTheCharacterThatItCannotEncode) {
  const std::string begin =
      "cannot encode with " + (kQuickstart / "tokenizer.json").string() + ": ";
  const std::string end =
      " | write the text with what is in the vocabulary, or take another tokenizer";
  const auto error = [&](std::string_view text) {
    return error_of([&] { quickstart().encode(text); });
  };
  EXPECT_EQ(error("12-7"), begin + "no token for `-` (U+002D)" + end);
  EXPECT_EQ(error("1 2"), begin + "no token for ` ` (U+0020)" + end);
  EXPECT_EQ(error("1\n"), begin + "no token for `\\n` (U+000A)" + end);
  EXPECT_EQ(error("<think>é"), begin + "no token for `é` (U+00E9)" + end);
  EXPECT_EQ(error("<thinks>"), begin + "no token for `<` (U+003C)" + end);
  EXPECT_EQ(error("1\xff"), begin + "the text is not valid UTF-8 at byte 1" + end);
}

TEST(QuickstartTokenizer, RefusesIdsWithoutAToken) {
  const std::string begin =
      "cannot decode with " + (kQuickstart / "tokenizer.json").string() + ": ";
  const auto error = [](const Ids& ids) {
    return error_of([&] { quickstart().decode(ids, DecodeMode::kKeepSpecial); });
  };
  EXPECT_EQ(error({9, 21}), begin + "no token has id 21 (at position 1) | ");
  EXPECT_EQ(error({-1}), begin + "no token has id -1 (at position 0) | ");
}

TEST(QuickstartTokenizer, EncodesTheSameFromFourThreads) {
  const std::string text = "<think>4+7+0=11,8+3+1=12,7+7+1=15,=1521</think><answer>1521</answer>";
  const Ids ids = quickstart().encode(text);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        wrong += quickstart().encode(text) != ids;
        wrong += quickstart().decode(ids, DecodeMode::kKeepSpecial) != text;
        wrong +=
            error_of([&] { quickstart().encode("#"); }).find("`#` (U+0023)") == std::string::npos;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Tokenizer, CanBeMoved) {
  Tokenizer first = Tokenizer::open(kQuickstart);
  Tokenizer second = std::move(first);
  first = std::move(second);
  EXPECT_THAT(first.encode("1"), ElementsAre(10));
}

TEST_F(SpoiledFolder, ByteLevelTokenizerLosesNothing) {
  write("tokenizer.json", R"({
    "added_tokens": [{"id": 1, "content": "<eos>", "single_word": false, "lstrip": false,
                      "rstrip": false, "normalized": false, "special": true}],
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
    "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
    "model": {"type": "BPE", "vocab": {"<pad>": 0, "<eos>": 1, "a": 2, "Ã": 3, "©": 4, "aa": 5}, "merges": [["a", "a"]]}})");
  const Tokenizer tokenizer = Tokenizer::open(folder_);
  EXPECT_THAT(tokenizer.encode("aaaé<eos>"), ElementsAre(5, 2, 3, 4, 1));
  EXPECT_EQ(tokenizer.decode(Ids{5, 2, 3, 4, 1}, DecodeMode::kSkipSpecial), "aaaé");
  EXPECT_EQ(tokenizer.decode(Ids{2, 3}, DecodeMode::kSkipSpecial), "a\xEF\xBF\xBD");
  EXPECT_THAT(error_of([&] { tokenizer.encode("aaè"); }),
              ::testing::HasSubstr("no token for `è` (U+00E8)"));
  EXPECT_THAT(error_of([&] { tokenizer.encode("ab a"); }),
              ::testing::HasSubstr("no token for `b` (U+0062)"));
}

TEST_F(SpoiledFolder, TruncationAndPaddingOfTheFileAreLeftOut) {
  std::string text = read(folder_ / "tokenizer.json");
  text.replace(
      text.find("\"truncation\": null"), 18,
      R"("truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0})");
  text.replace(
      text.find("\"padding\": null"), 15,
      R"("padding": {"strategy": {"Fixed": 9}, "direction": "Left", "pad_to_multiple_of": null,)"
      R"( "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"})");
  write("tokenizer.json", text);
  EXPECT_THAT(Tokenizer::open(folder_).encode("123"), ElementsAre(10, 11, 12));
}

TEST_F(SpoiledFolder, StopIdsAreTheUnionOfBothFiles) {
  write("generation_config.json", R"({"eos_token_id": [5, 3, 5], "pad_token_id": 2})");
  const Tokenizer tokenizer = Tokenizer::open(folder_);
  EXPECT_THAT(tokenizer.stop_ids(), ElementsAre(1, 3, 5));
  EXPECT_EQ(tokenizer.eos_id(), 1);
  EXPECT_EQ(tokenizer.pad_id(), 0);
}

TEST_F(SpoiledFolder, WhatTheTemplateWritesAfterAnAnswerIsAStopId) {
  const auto stop_ids = [&](std::string_view chat) {
    write("chat_template.jinja", chat);
    return Tokenizer::open(folder_).stop_ids();
  };
  std::string tokenizer = read(folder_ / "tokenizer.json");
  const auto at = tokenizer.find("\"special\": false", tokenizer.find("\"id\": 5"));
  tokenizer.replace(at, 16, "\"special\": true");  // </answer>
  write("tokenizer.json", tokenizer);
  EXPECT_THAT(stop_ids("{% for m in messages %}{{ m.content }} \n</answer>\n{% endfor %}"),
              ElementsAre(1, 5));
  EXPECT_THAT(stop_ids("{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}"),
              ElementsAre(1));
  EXPECT_THAT(stop_ids("{% for m in messages %}{{ m.content }}{% endfor %}"), ElementsAre(1));
  EXPECT_THAT(stop_ids("{{ messages[1].content }}0</answer>"), ElementsAre(1));
  EXPECT_THAT(stop_ids("{{ messages[1].content }}</think>"), ElementsAre(1));
  EXPECT_THAT(stop_ids("{{ messages[1].content }}unknown characters"), ElementsAre(1));
  EXPECT_THAT(stop_ids("{{ raise_exception('no') }}"), ElementsAre(1));
  EXPECT_THAT(stop_ids("{% not a template"), ElementsAre(1));
  write("tokenizer_config.json", "{}");
  write("generation_config.json", "{}");
  write("config.json", "{}");
  EXPECT_THAT(stop_ids("{{ messages[1].content }}</answer>"), ElementsAre(5));
  EXPECT_EQ(Tokenizer::open(folder_).eos_id(), 5);
}

TEST_F(SpoiledFolder, AnotherTemplateAddsItsStopId) {
  write("mine.jinja", "{{ messages[1].content }}<pad>");
  Tokenizer tokenizer = Tokenizer::open(folder_);
  tokenizer.add_end_of_turn(ChatTemplate::read(folder_ / "mine.jinja", folder_));
  EXPECT_THAT(tokenizer.stop_ids(), ElementsAre(0, 1));
  EXPECT_EQ(tokenizer.eos_id(), 1);
}

TEST_F(SpoiledFolder, TheModelsConfigNamesTheEndTokenWhereNoOtherFileDoes) {
  write("tokenizer_config.json", R"({"eos_token": null})");
  write("generation_config.json", "{}");
  const Tokenizer tokenizer = Tokenizer::open(folder_);
  EXPECT_THAT(tokenizer.stop_ids(), ElementsAre(1));
  EXPECT_EQ(tokenizer.pad_id(), 0);
}

TEST_F(SpoiledFolder, AnEndTokenMayBeWrittenAsAnObject) {
  write("tokenizer_config.json", R"({"eos_token": {"content": "</answer>", "special": false}})");
  fs::remove(folder_ / "generation_config.json");
  fs::remove(folder_ / "config.json");
  const Tokenizer tokenizer = Tokenizer::open(folder_);
  EXPECT_EQ(tokenizer.eos_id(), 5);
  EXPECT_EQ(tokenizer.pad_id(), std::nullopt);
}

TEST_F(SpoiledFolder, APaddingTokenThatTheVocabularyLacksIsNone) {
  write("tokenizer_config.json", R"({"eos_token": "<eos>", "pad_token": "[PAD]"})");
  write("generation_config.json", R"({"pad_token_id": -1})");
  EXPECT_EQ(Tokenizer::open(folder_).pad_id(), std::nullopt);
}

TEST_F(SpoiledFolder, MissingTokenizerIsOneSentence) {
  fs::remove(folder_ / "tokenizer.json");
  EXPECT_EQ(open_error(),
            "FOLDER has no tokenizer.json | give a folder with a tokenizer in Hugging Face form");
}

TEST_F(SpoiledFolder, CorruptTokenizerIsOneSentence) {
  write("tokenizer.json", "{\n  \"model\": ");
  EXPECT_EQ(
      open_error(),
      "FOLDER/tokenizer.json: not a tokenizer: EOF while parsing a value at line 2 column 11 | "
      "write the file anew with the tool that made it");
}

TEST_F(SpoiledFolder, CorruptConfigIsOneSentence) {
  write("tokenizer_config.json", "{\n\"eos_token\": \"<eos>\",\n}\n");
  EXPECT_EQ(open_error(),
            "FOLDER/tokenizer_config.json: not valid JSON (line 3) | mend the file, or take it "
            "anew from where the model came from");
  write("tokenizer_config.json", "[]");
  EXPECT_EQ(open_error(),
            "FOLDER/tokenizer_config.json: must be a JSON object | mend the file, or take it anew "
            "from where the model came from");
}

TEST_F(SpoiledFolder, UnknownEndTokenIsOneSentence) {
  write("tokenizer_config.json", R"({"eos_token": "<|im_end|>"})");
  EXPECT_EQ(open_error(),
            "FOLDER/tokenizer_config.json: `eos_token` is `<|im_end|>`, which is not in "
            "tokenizer.json | take all files of the folder from the same model");
}

TEST_F(SpoiledFolder, UnknownStopIdIsOneSentence) {
  for (const char* id : {"21", "-1", "4294967297", "18446744073709551615"}) {
    write("generation_config.json", std::string(R"({"eos_token_id": [1, )") + id + "]}");
    EXPECT_EQ(open_error(), std::string("FOLDER/generation_config.json: `eos_token_id` has ") + id +
                                ", which is not in tokenizer.json | take all files of the "
                                "folder from the same model");
  }
}

TEST_F(SpoiledFolder, WrongTypesAreOneSentence) {
  write("generation_config.json", R"({"eos_token_id": "1"})");
  EXPECT_EQ(open_error(),
            "FOLDER/generation_config.json: `eos_token_id` must be a token id or a list of them | "
            "mend the file, or take it anew from where the model came from");
  write("tokenizer_config.json", R"({"eos_token": 1})");
  EXPECT_EQ(open_error(),
            "FOLDER/tokenizer_config.json: `eos_token` must be the text of a token | mend the "
            "file, or take it anew from where the model came from");
}

TEST_F(SpoiledFolder, NoEndTokenAnywhereIsOneSentence) {
  for (const char* file : {"tokenizer_config.json", "generation_config.json", "config.json"}) {
    write(file, "{}");
  }
  EXPECT_EQ(open_error(),
            "no file in FOLDER names an end token | set `eos_token` in tokenizer_config.json");
}

}  // namespace
}  // namespace qed
