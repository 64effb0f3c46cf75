#include "core/model/model_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/util/files.h"
#include "tests/host/host_fixture.h"
#include "tests/model/tensor_file.h"

namespace qed {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Folder : public testing::Test {
 protected:
  Folder() {
    config_ = {{"model_type", "qwen2"},      {"vocab_size", 21},
               {"hidden_size", 8},           {"intermediate_size", 12},
               {"num_hidden_layers", 2},     {"num_attention_heads", 2},
               {"num_key_value_heads", 1},   {"max_position_embeddings", 64},
               {"tie_word_embeddings", true}};
    write_config();
    for (const TensorSpec& spec : checkpoint_tensors(read_model_config(path() / "config.json"))) {
      tensors_.push_back({spec.name, spec.shape, {}});
      for (std::int64_t i = 0; i < spec.numel(); ++i) {
        tensors_.back().data.push_back(static_cast<float>(i % 97) / 64);
      }
    }
  }

  const std::filesystem::path& path() const { return folder_.path(); }
  std::string file(const std::string& name) const { return (path() / name).string(); }
  void write_config() { write_file(path() / "config.json", config_.dump()); }
  NamedTensor& tensor(const std::string& name) {
    return *std::find_if(tensors_.begin(), tensors_.end(),
                         [&](const auto& t) { return t.name == name; });
  }
  void drop(const std::string& part) {
    std::erase_if(tensors_, [&](const auto& t) { return t.name.find(part) != t.name.npos; });
  }
  // The message of opening the folder with these tensors in one file.
  Failure refusal() {
    write_tensors(path() / "model.safetensors", tensors_);
    return failure_of([&] { open_model_folder(path()); });
  }
  RowSource rows() const {
    return [this](std::size_t i, std::int64_t row, std::int64_t num_rows, float* out) {
      const auto length = static_cast<std::int64_t>(tensors_[i].data.size()) /
                          (tensors_[i].shape.size() == 2 ? tensors_[i].shape[0] : 1);
      std::copy_n(tensors_[i].data.begin() + row * length, num_rows * length, out);
    };
  }
  std::vector<TensorSpec> specs() const {
    std::vector<TensorSpec> out;
    for (const NamedTensor& t : tensors_) out.push_back({t.name, t.shape});
    return out;
  }
  void write_shards() {  // of at most 1,000 bytes
    write_file(path() / "source.json", config_.dump());
    write_model_folder(path(), path() / "source.json", specs(), Dtype::kFloat32, rows(), 1000);
  }
  void expect_all(const TensorSet& set) {
    for (const NamedTensor& t : tensors_) {
      std::vector<float> out(t.data.size());
      set.read_rows({t.name, t.shape}, 0, TensorSpec{t.name, t.shape}.rows(), out.data());
      EXPECT_EQ(out, t.data) << t.name;
    }
  }

  TemporaryFolder folder_;
  json config_;
  std::vector<NamedTensor> tensors_;
};

TEST_F(Folder, OfOneFileIsRead) {
  write_tensors(path() / "model.safetensors", tensors_);
  const ModelFolder folder = open_model_folder(path());
  EXPECT_EQ(folder.config.vocab_size, 21);
  EXPECT_EQ(folder.tensors.num_files(), 1u);
  expect_all(folder.tensors);
}

TEST_F(Folder, IsWrittenInFilesOfAtMostTheLimitAndReadBack) {
  write_shards();
  const json index = json::parse(read_file(path() / "model.safetensors.index.json"));
  std::int64_t total = 0;
  for (const TensorSpec& spec : specs()) total += 4 * spec.numel();
  EXPECT_EQ(index["metadata"]["total_size"], total);
  EXPECT_EQ(index["weight_map"].size(), tensors_.size());
  const ModelFolder folder = open_model_folder(path());
  EXPECT_GT(folder.tensors.num_files(), 3u);
  EXPECT_EQ(index["weight_map"]["model.embed_tokens.weight"],
            cat("model-00001-of-0000", folder.tensors.num_files(), ".safetensors"));
  for (const auto& entry : std::filesystem::directory_iterator(path())) {
    if (entry.path().extension() != ".safetensors") continue;
    const SafetensorsFile shard(entry.path());
    std::uint64_t bytes = 0;
    for (const auto& [name, t] : shard.tensors()) bytes = std::max(bytes, t.end);
    EXPECT_TRUE(bytes <= 1000 || shard.tensors().size() == 1) << entry.path();
  }
  expect_all(folder.tensors);
}

TEST_F(Folder, ConfigIsCopiedWithTheFormatOfTheWeights) {
  const auto written = [&](const std::string& config, Dtype dtype) {
    write_file(path() / "source.json", config);
    write_model_folder(path(), path() / "source.json", specs(), dtype, rows());
    return read_file(path() / "config.json");
  };
  EXPECT_EQ(written("{\"b\":1, \"a\":2}", Dtype::kFloat32), "{\"b\":1, \"a\":2}");
  EXPECT_EQ(written("{\"torch_dtype\":\"float32\"}", Dtype::kFloat32),
            "{\"torch_dtype\":\"float32\"}");
  const json changed = json::parse(written("{\"dtype\":\"float16\",\"a\":2}", Dtype::kBfloat16));
  EXPECT_EQ(changed, json({{"dtype", "bfloat16"}, {"a", 2}}));
}

TEST_F(Folder, ThatIsNoModelIsNamed) {
  EXPECT_EQ(failure_of([&] { open_model_folder(path() / "none"); }).message,
            "no model in " + file("none") + ": there is no such folder");
  EXPECT_EQ(failure_of([&] { open_model_folder(path()); }).message,
            path().string() +
                " has no weights: no model.safetensors and no model.safetensors.index.json");
  write_file(path() / "pytorch_model.bin", "");
  EXPECT_EQ(failure_of([&] { open_model_folder(path()); }).hint,
            "it has pytorch_model.bin: load it in transformers and save it again");
  std::filesystem::remove(path() / "config.json");
  const Failure f = failure_of([&] { open_model_folder(path()); });
  EXPECT_EQ(f.message, "no model in " + path().string() + ": it has no config.json");
  EXPECT_EQ(f.exit_code, kExitUsage);
}

TEST_F(Folder, TensorsThatChangeNothingPass) {
  tensors_.push_back({"lm_head.weight", {21, 8}, tensors_.front().data});  // of a tied model
  tensors_.push_back({"model.layers.1.self_attn.rotary_emb.inv_freq", {2}, {1, 2}});
  write_tensors(path() / "model.safetensors", tensors_);
  EXPECT_NO_THROW(open_model_folder(path()));
}

TEST_F(Folder, AConfigOfTooFewOrTooManyLayersIsNamed) {
  for (const int layers : {1, 3}) {
    config_["num_hidden_layers"] = layers;
    write_config();
    EXPECT_EQ(refusal().message, cat("`num_hidden_layers` is ", layers, " in ", file("config.json"),
                                     ", but ", file("model.safetensors"), " has weights of 2"));
  }
}

TEST_F(Folder, AConfigOfAnotherVocabularyIsNamed) {
  config_["vocab_size"] = 22;
  write_config();
  EXPECT_EQ(refusal().message, "`model.embed_tokens.weight` in " + file("model.safetensors") +
                                   " is [21, 8], but config.json asks for [22, 8]");
}

TEST_F(Folder, AnOutputLayerThatIsMissingIsNamedWithTheKey) {
  config_["tie_word_embeddings"] = false;
  write_config();
  const Failure f = refusal();
  EXPECT_EQ(f.message, file("model.safetensors") + " has no tensor `lm_head.weight`");
  EXPECT_EQ(f.hint, "a model without one has `tie_word_embeddings` true in " + file("config.json"));
}

TEST_F(Folder, ATensorThatIsMissingOrTooManyIsNamed) {
  tensors_.push_back({"odd.weight", {1}, {0}});
  EXPECT_EQ(refusal().message, file("model.safetensors") +
                                   " has a tensor `odd.weight` that a model of its config.json "
                                   "lacks");
  tensors_.pop_back();
  drop("layers.1.self_attn.k_proj.bias");
  EXPECT_EQ(refusal().message,
            file("model.safetensors") + " has no tensor `model.layers.1.self_attn.k_proj.bias`");
}

TEST_F(Folder, AFormatThatIsNotSupportedIsNamed) {
  write_tensors(path() / "model.safetensors", tensors_);
  std::string bytes = read_file(path() / "model.safetensors");
  bytes.replace(bytes.find("\"F32\""), 5, "\"I32\"");
  write_file(path() / "model.safetensors", bytes);
  const Failure f = failure_of([&] { open_model_folder(path()); });
  EXPECT_EQ(f.message, "`model.embed_tokens.weight` in " + file("model.safetensors") +
                           " is I32, which is not supported");
  EXPECT_EQ(f.hint, "supported are F32, F16 and BF16");
}

class Shards : public Folder {
 protected:
  Shards() {
    write_shards();
    index_ = json::parse(read_file(path() / "model.safetensors.index.json"));
    first_ = index_["weight_map"]["model.embed_tokens.weight"];
  }
  Failure refusal() {
    write_file(path() / "model.safetensors.index.json", index_.dump());
    return failure_of([&] { open_model_folder(path()); });
  }
  const std::string index_file_ = file("model.safetensors.index.json");
  json index_;
  std::string first_;
};

TEST_F(Shards, OneThatIsMissingIsNamedWithItsIndex) {
  std::filesystem::remove(path() / first_);
  EXPECT_EQ(refusal().message, file(first_) + " is missing; " + index_file_ + " names it");
}

TEST_F(Shards, OneThatIsTruncatedIsNamed) {
  const std::string bytes = read_file(path() / first_);
  write_file(path() / first_, bytes.substr(0, bytes.size() - 3));
  EXPECT_THAT(refusal().message, HasSubstr(file(first_) + " is not a valid safetensors file: "));
}

TEST_F(Shards, ATensorInNoneOrInAnotherThanTheIndexSaysIsNamed) {
  const json good = index_;
  index_["weight_map"]["odd.weight"] = first_;
  EXPECT_EQ(refusal().message,
            "`odd.weight` is in no file, but " + index_file_ + " says that it is in " + first_);
  index_ = good;
  const std::string other = index_["weight_map"]["model.norm.weight"];
  ASSERT_NE(other, first_);
  index_["weight_map"]["model.norm.weight"] = first_;
  EXPECT_EQ(refusal().message, "`model.norm.weight` is in " + file(other) + ", but " + index_file_ +
                                   " says that it is in " + first_);
}

TEST_F(Shards, ATensorInTwoIsNamed) {
  write_tensors(path() / "extra.safetensors", {tensors_.front()});
  index_["weight_map"]["model.norm.weight"] = "extra.safetensors";
  EXPECT_EQ(refusal().message, "`model.embed_tokens.weight` is both in " +
                                   file("extra.safetensors") + " and in " + file(first_));
}

TEST_F(Shards, AnIndexThatIsNoneIsNamed) {
  for (const char* text :
       {"", "[]", "{}", "{\"weight_map\": {}}", "{\"weight_map\": {\"a\": 1}}"}) {
    write_file(index_file_, text);
    EXPECT_EQ(failure_of([&] { open_model_folder(path()); }).message,
              index_file_ + " is not an index of safetensors files");
  }
  index_["weight_map"]["model.norm.weight"] = "../model.safetensors";
  EXPECT_EQ(refusal().message, index_file_ + " says that `model.norm.weight` is in " +
                                   "../model.safetensors, which is no file beside it");
}

TEST_F(Folder, ATokenizerLargerThanTheEmbeddingIsNamed) {
  const ModelConfig c = read_model_config(path() / "config.json");
  EXPECT_NO_THROW(check_vocabulary(path(), c, 21));
  EXPECT_EQ(
      failure_of([&] { check_vocabulary(path(), c, 22); }).message,
      "the tokenizer in " + path().string() + " has 22 tokens, but the model's vocabulary is 21");
}

}  // namespace
}  // namespace qed
