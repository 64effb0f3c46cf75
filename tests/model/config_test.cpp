#include "core/model/config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/util/files.h"
#include "tests/host/host_fixture.h"
#include "tests/model/temporary_folder.h"

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
  const ModelConfig c = read({{"num_key_value_heads", nullptr},
                              {"tie_word_embeddings", "-"},
                              {"hidden_act", nullptr},
                              {"rms_norm_eps", "-"},
                              {"rope_theta", "-"}});
  EXPECT_EQ(c.num_key_value_heads, 4);
  EXPECT_EQ(c.head_dim, 6);
  EXPECT_EQ(c.rms_norm_eps, 1e-6);
  EXPECT_EQ(c.rope_theta, 1e4);
  EXPECT_EQ(c.initializer_range, 0.02);
  EXPECT_FALSE(c.tie_word_embeddings);
  EXPECT_EQ(read({{"head_dim", 10}}).head_dim, 10);
  EXPECT_EQ(read({{"head_dim", nullptr}}).head_dim, 6);
  EXPECT_EQ(read({{"head_dim", nullptr}, {"model_type", "qwen3"}}).head_dim, 128);
}

TEST_F(Config, EachFamilyHasItsBiasesAndNorms) {
  // model_type, attention_bias -> biases of q, k, v; of o; norms of queries and keys
  const std::tuple<const char*, json, bool, bool, bool> cases[] = {
      {"qwen2", "-", true, false, false},      {"qwen2", false, true, false, false},
      {"qwen3", "-", false, false, true},      {"qwen3", true, true, true, true},
      {"llama", nullptr, false, false, false}, {"llama", true, true, true, false},
      {"mistral", "-", false, false, false},
  };
  for (const auto& [type, bias, qkv, o, norm] : cases) {
    const ModelConfig c = read({{"model_type", type}, {"attention_bias", bias}});
    EXPECT_EQ(c.model_type, type);
    EXPECT_EQ(c.attention_bias, qkv) << type << bias;
    EXPECT_EQ(c.attention_output_bias, o) << type << bias;
    EXPECT_EQ(c.qk_norm, norm) << type << bias;
    EXPECT_FALSE(c.mlp_bias);
  }
  EXPECT_TRUE(read({{"model_type", "llama"}, {"mlp_bias", true}}).mlp_bias);
}

TEST_F(Config, RopeThetaStandsAtTheTopOrInRopeParameters) {
  EXPECT_EQ(read({{"rope_theta", 5e5}}).rope_theta, 5e5);
  const json newer = {{"rope_theta", 1e6}, {"rope_type", "default"}};
  EXPECT_EQ(read({{"rope_theta", "-"}, {"rope_parameters", newer}}).rope_theta, 1e6);
  EXPECT_EQ(read({{"rope_theta", 5e5}, {"rope_parameters", json::object()}}).rope_theta, 5e5);
}

TEST_F(Config, RopeScalingHasTwoSpellings) {
  json llama3 = {{"rope_type", "llama3"},
                 {"factor", 32.0},
                 {"low_freq_factor", 1.0},
                 {"high_freq_factor", 4.0},
                 {"original_max_position_embeddings", 8192}};
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const ModelConfig c = read({{"model_type", "llama"}, {"rope_theta", 5e5}, {key, llama3}});
    EXPECT_EQ(c.rope_theta, 5e5);
    EXPECT_EQ(c.rope_scaling.rope_type, "llama3");
    EXPECT_EQ(c.rope_scaling.factor, 32);
    EXPECT_EQ(c.rope_scaling.low_freq_factor, 1);
    EXPECT_EQ(c.rope_scaling.high_freq_factor, 4);
    EXPECT_EQ(c.rope_scaling.original_max_position_embeddings, 8192);
  }
  llama3.erase("original_max_position_embeddings");
  EXPECT_EQ(read({{"rope_scaling", llama3}}).rope_scaling.original_max_position_embeddings, 64);
  const RopeScaling linear =
      read({{"rope_scaling", {{"type", "linear"}, {"factor", 2}}}}).rope_scaling;
  EXPECT_EQ(linear.rope_type, "linear");
  EXPECT_EQ(linear.factor, 2);
  EXPECT_EQ(read({{"rope_scaling", nullptr}}).rope_scaling.rope_type, "default");
}

TEST_F(Config, RopeScalingStretchesTheFrequenciesAsItsFormulaSays) {
  ModelConfig c = read({{"head_dim", 8}, {"rope_theta", 1e4}});
  // Frequencies 1, 0.1, 0.01, 0.001: wavelengths 6.28, 62.8, 628, 6283.
  const auto plain = rope_frequencies(c);
  ASSERT_EQ(plain.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(plain[i] * std::pow(10.0, i), 1, 1e-6);
  c.rope_scaling.rope_type = "linear";
  c.rope_scaling.factor = 4;
  EXPECT_NEAR(rope_frequencies(c)[1], 0.1 / 4, 1e-8);
  c.rope_scaling = {"llama3", 8, 1, 4, 1024};  // up to 256 stays, from 1024 on is divided
  const auto scaled = rope_frequencies(c);
  EXPECT_EQ(scaled[0], plain[0]);
  EXPECT_EQ(scaled[1], plain[1]);
  EXPECT_EQ(scaled[3], plain[3] / 8);
  const double smooth = (1024 / 628.3185307 - 1) / 3;
  EXPECT_NEAR(scaled[2], (1 - smooth) * 0.01 / 8 + smooth * 0.01, 1e-8);
}

TEST_F(Config, ASlidingWindowBoundsTheContext) {
  const auto context = [&](json change) {
    change["max_position_embeddings"] = 32768;
    return read(change).max_position_embeddings;
  };
  EXPECT_EQ(context({{"model_type", "mistral"}, {"sliding_window", 1000}}), 1000);
  EXPECT_EQ(context({{"model_type", "mistral"}, {"sliding_window", 40000}}), 32768);
  EXPECT_EQ(context({{"model_type", "mistral"}, {"sliding_window", nullptr}}), 32768);
  EXPECT_EQ(context({{"model_type", "mistral"}}), 4096);  // the default of transformers
  EXPECT_EQ(context({{"sliding_window", 1000}}), 32768);
  json qwen = {{"sliding_window", 1000}, {"use_sliding_window", true}};
  EXPECT_EQ(context(qwen), 32768);  // only layers from 28 on would have it
  qwen["max_window_layers"] = 1;
  EXPECT_EQ(context(qwen), 1000);
  qwen["layer_types"] = json::array({"full_attention", "full_attention"});
  EXPECT_EQ(context(qwen), 32768);
  qwen["layer_types"] = json::array({"full_attention", "sliding_attention"});
  EXPECT_EQ(context(qwen), 1000);
  qwen["layer_types"] = json::array({"full_attention", "linear_attention"});
  EXPECT_EQ(
      failure_of([&] { read(qwen); }).message,
      "`layer_types` is \"linear_attention\" in " + file_.string() + ", which is not supported");
}

TEST_F(Config, UnknownKeysThatChangeNothingPass) {
  EXPECT_NO_THROW(read({{"use_cache", true},
                        {"architectures", {"Qwen2ForCausalLM"}},
                        {"_name_or_path", "x"},
                        {"attention_dropout", 0.0},
                        {"pretraining_tp", 1}}));
}

TEST_F(Config, WhatIsNotSupportedIsNamedWithWhatIs) {
  const char families[] = "supported is \"qwen2\", \"qwen3\", \"llama\", \"mistral\"";
  const char scalings[] = "supported is \"default\", \"linear\", \"llama3\", null";
  const std::tuple<json, std::string, std::string> cases[] = {
      {{{"model_type", "gemma"}}, "`model_type` is \"gemma\" in ", families},
      {{{"model_type", "-"}}, "`model_type` is null in ", families},
      {{{"model_type", 2}}, "`model_type` is 2 in ", families},
      {{{"hidden_act", "gelu"}}, "`hidden_act` is \"gelu\" in ", "supported is \"silu\", null"},
      {{{"quantization_config", "int4"}},
       "`quantization_config` is \"int4\" in ",
       "supported is null"},
      {{{"rope_parameters", {{"rope_theta", 1e4}, {"rope_type", "yarn"}}}},
       "`rope_type` is \"yarn\" in ",
       scalings},
      {{{"rope_scaling", {{"type", "dynamic"}, {"factor", 2}}}},
       "`type` is \"dynamic\" in ",
       scalings},
      {{{"partial_rotary_factor", 0.5}},
       "`partial_rotary_factor` is 0.5 in ",
       "supported is null, 1.0"},
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
      {{{"rope_theta", -1.0}}, "`rope_theta` is -1" + in},
      {{{"rope_scaling", "linear"}}, "`rope_scaling` is \"linear\"" + in},
      {{{"rope_scaling", {{"rope_type", "linear"}}}}, "`factor` is missing" + in},
      {{{"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 1}}}},
       "`high_freq_factor` is missing" + in},
      {{{"rope_scaling",
         {{"rope_type", "llama3"},
          {"factor", 8},
          {"low_freq_factor", 4},
          {"high_freq_factor", 1}}}},
       "`high_freq_factor` is 1" + in + ", not above `low_freq_factor` 4"},
      {{{"hidden_size", 26}},
       "`hidden_size` is 26" + in +
           ", not a multiple of `num_attention_heads` 4, and there is no `head_dim`"},
      {{{"num_hidden_layers", 100000}}, "`num_hidden_layers` is 100000" + in},
      {{{"rms_norm_eps", 0}}, "`rms_norm_eps` is 0" + in},
      {{{"vocab_size", 1 << 30}, {"hidden_size", 1 << 20}},
       file_.string() + " describes a model of about 2.2584e+15 parameters, which cannot be meant"},
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
