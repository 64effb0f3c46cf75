#include "core/model/config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/host/host_fixture.h"
#include "tests/model/model_fixture.h"

namespace qed {
namespace {

using nlohmann::json;

class Config : public testing::Test {
 protected:
  // Changes some keys of a good file; a key whose new value is "-" is taken out.
  ModelConfig read(const json& change) {
    json object = {{"model_type", "qwen2"},      {"vocab_size", 21},
                   {"hidden_size", 24},          {"intermediate_size", 40},
                   {"num_hidden_layers", 2},     {"num_attention_heads", 4},
                   {"num_key_value_heads", 2},   {"max_position_embeddings", 64},
                   {"rms_norm_eps", 1e-6},       {"rope_theta", 10000},
                   {"tie_word_embeddings", true}};
    for (const auto& [key, value] : change.items()) {
      value == "-" ? void(object.erase(key)) : void(object[key] = value);
    }
    write_file(file_, object.dump());
    return read_model_config(file_);
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "config.json";
};

TEST_F(Config, OfTheQuickStartIsRead) {
  const ModelConfig c = read_model_config(QED_SOURCE_DIR "/configs/quickstart/config.json");
  EXPECT_EQ(c.vocab_size, 21);
  EXPECT_EQ(c.hidden_size, 64);
  EXPECT_EQ(c.intermediate_size, 192);
  EXPECT_EQ(c.num_hidden_layers, 2);
  EXPECT_EQ(c.num_attention_heads, 4);
  EXPECT_EQ(c.num_key_value_heads, 2);
  EXPECT_EQ(c.head_dim, 16);
  EXPECT_EQ(c.rms_norm_eps, 1e-6);
  EXPECT_EQ(c.rope_theta, 1e4);
  EXPECT_EQ(c.initializer_range, 0.02);
  EXPECT_TRUE(c.tie_word_embeddings);
}

TEST_F(Config, KeysThatAreLeftOutOrNullHaveTransformersDefaults) {
  const ModelConfig c = read(
      {{"num_key_value_heads", nullptr}, {"tie_word_embeddings", "-"}, {"hidden_act", nullptr}});
  EXPECT_EQ(c.num_key_value_heads, 4);
  EXPECT_EQ(c.head_dim, 6);
  EXPECT_EQ(c.initializer_range, 0.02);
  EXPECT_FALSE(c.tie_word_embeddings);
  EXPECT_EQ(read({{"head_dim", 10}}).head_dim, 10);
}

TEST_F(Config, RopeThetaStandsAtTheTopOrInRopeParameters) {
  EXPECT_EQ(read({{"rope_theta", 5e5}}).rope_theta, 5e5);
  const json newer = {{"rope_theta", 1e6}, {"rope_type", "default"}};
  EXPECT_EQ(read({{"rope_theta", "-"}, {"rope_parameters", newer}}).rope_theta, 1e6);
}

TEST_F(Config, WhatIsNotSupportedIsNamedWithWhatIs) {
  const std::tuple<json, std::string, std::string> cases[] = {
      {{{"model_type", "llama"}}, "`model_type` is \"llama\" in ", "supported is \"qwen2\""},
      {{{"model_type", "-"}}, "`model_type` is null in ", "supported is \"qwen2\""},
      {{{"model_type", 2}}, "`model_type` is 2 in ", "supported is \"qwen2\""},
      {{{"hidden_act", "gelu"}}, "`hidden_act` is \"gelu\" in ", "supported is \"silu\""},
      {{{"use_sliding_window", true}}, "`use_sliding_window` is true in ", "supported is false"},
      {{{"rope_scaling", {{"factor", 2}}}},
       "`rope_scaling` is {\"factor\":2} in ",
       "supported is null"},
      {{{"quantization_config", "int4"}},
       "`quantization_config` is \"int4\" in ",
       "supported is null"},
      {{{"rope_parameters", {{"rope_theta", 1e4}, {"rope_type", "yarn"}}}},
       "`rope_type` is \"yarn\" in ",
       "supported is \"default\""},
  };
  for (const auto& [change, message, hint] : cases) {
    const Failure f = failure_of([&] { read(change); });
    EXPECT_EQ(f.message, message + file_.string() + ", which is not supported");
    EXPECT_EQ(f.hint, hint);
  }
}

TEST_F(Config, AKeyThatIsMissingOrOddIsNamedWithTheFile) {
  const std::string in = " in " + file_.string();
  const std::pair<json, std::string> cases[] = {
      {{{"vocab_size", "-"}}, "`vocab_size` is missing" + in},
      {{{"rope_theta", "-"}}, "`rope_theta` is missing" + in},
      {{{"rope_parameters", json::object()}}, "`rope_theta` is missing" + in},
      {{{"vocab_size", nullptr}}, "`vocab_size` is null" + in},
      {{{"hidden_size", "64"}}, "`hidden_size` is \"64\"" + in},
      {{{"hidden_size", 64.5}}, "`hidden_size` is 64.5" + in},
      {{{"hidden_size", 0}}, "`hidden_size` is 0" + in},
      {{{"num_hidden_layers", -1}}, "`num_hidden_layers` is -1" + in},
      {{{"max_position_embeddings", 1e12}}, "`max_position_embeddings` is 1000000000000.0" + in},
      {{{"max_position_embeddings", 1000000000000}},
       "`max_position_embeddings` is 1000000000000" + in},
      {{{"rms_norm_eps", true}}, "`rms_norm_eps` is true" + in},
      {{{"tie_word_embeddings", 1}}, "`tie_word_embeddings` is 1" + in},
      {{{"num_key_value_heads", 3}},
       "`num_attention_heads` is 4" + in + ", not a multiple of `num_key_value_heads` 3"},
      {{{"head_dim", 7}}, "`head_dim` is 7" + in + ", an odd number"},
  };
  for (const auto& [change, message] : cases) {
    EXPECT_EQ(failure_of([&] { read(change); }).message, message);
  }
}

TEST_F(Config, AFileThatIsMissingOrNoJsonObjectIsNamed) {
  EXPECT_EQ(failure_of([&] { read_model_config(file_); }).message,
            "cannot read " + file_.string() + ": No such file or directory");
  for (const char* text : {"", "[]", "{\"model_type\": "}) {
    write_file(file_, text);
    EXPECT_EQ(failure_of([&] { read_model_config(file_); }).message,
              file_.string() + " is not a JSON object");
  }
}

}  // namespace
}  // namespace qed
