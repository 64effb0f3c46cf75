#include "core/model/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "core/model/model_facts.h"
#include "core/util/half.h"
#include "tests/host/host_fixture.h"
#include "tests/model/model_fixture.h"

namespace qed {
namespace {

std::map<std::string, std::vector<float>> by_name(Weights& weights) {
  std::map<std::string, std::vector<float>> out;
  for (NamedTensor& t : to_tensors(weights, weights.flat())) out[t.name] = std::move(t.data);
  return out;
}

bool same_numbers(const at::Tensor& a, const at::Tensor& b) {
  return a.nbytes() == b.nbytes() &&
         std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0;
}

TEST(Weights, HaveTheNamesAndShapesOfAHuggingFaceCheckpoint) {
  Weights weights(tiny_config(false));
  std::map<std::string, std::vector<std::int64_t>> shapes;
  std::int64_t total = 0;
  for (const NamedTensor& t : to_tensors(weights, weights.flat())) {
    shapes[t.name] = t.shape;
    total += static_cast<std::int64_t>(t.data.size());
  }
  EXPECT_EQ(total, weights.num_parameters());
  EXPECT_EQ(shapes.size(), 2u * 12 + 3);
  using Shape = std::vector<std::int64_t>;
  EXPECT_EQ(shapes["model.embed_tokens.weight"], (Shape{21, 24}));
  EXPECT_EQ(shapes["lm_head.weight"], (Shape{21, 24}));
  EXPECT_EQ(shapes["model.norm.weight"], (Shape{24}));
  EXPECT_EQ(shapes["model.layers.1.self_attn.q_proj.weight"], (Shape{32, 24}));
  EXPECT_EQ(shapes["model.layers.1.self_attn.k_proj.weight"], (Shape{16, 24}));
  EXPECT_EQ(shapes["model.layers.1.self_attn.v_proj.bias"], (Shape{16}));
  EXPECT_EQ(shapes["model.layers.1.self_attn.o_proj.weight"], (Shape{24, 32}));
  EXPECT_EQ(shapes["model.layers.1.mlp.up_proj.weight"], (Shape{40, 24}));
  EXPECT_EQ(shapes["model.layers.1.mlp.down_proj.weight"], (Shape{24, 40}));
  EXPECT_EQ(shapes.count("lm_head.weight"), 1u);
  Weights tied(tiny_config(true));
  EXPECT_EQ(by_name(tied).count("lm_head.weight"), 0u);
}

TEST(Weights, InitDependsOnSeedAndNamesOnly) {
  Weights small(tiny_config());
  small.init(5);
  const auto first = by_name(small);

  ModelConfig deeper =
      tiny_config(false);  // another layer, another head, as many residuals as before
  deeper.num_hidden_layers = 3;
  Weights large(deeper);
  large.init(5);
  for (const auto& [name, values] : by_name(large)) {
    if (!first.contains(name) || name.ends_with("o_proj.weight") ||
        name.ends_with("down_proj.weight"))
      continue;
    EXPECT_EQ(values, first.at(name)) << name;
  }

  small.init(6);
  const auto second = by_name(small);
  EXPECT_NE(second.at("model.embed_tokens.weight"), first.at("model.embed_tokens.weight"));
  small.init(5);
  EXPECT_EQ(by_name(small), first);
  EXPECT_NE(first.at("model.layers.0.mlp.up_proj.weight"),
            first.at("model.layers.1.mlp.up_proj.weight"));
}

TEST(Weights, InitHasTheSpreadThatTheHeaderTells) {
  ModelConfig c = tiny_config();
  c.hidden_size = 96, c.intermediate_size = 128, c.num_attention_heads = 8, c.head_dim = 16;
  c.vocab_size = 200;
  Weights weights(c);
  weights.init(1);
  const auto all = by_name(weights);
  const auto spread = [&](const std::string& name) {
    double sum = 0;
    for (const float x : all.at(name)) sum += static_cast<double>(x) * x;
    return std::sqrt(sum / static_cast<double>(all.at(name).size()));
  };
  const double residual = 1 / std::sqrt(2.0 * 2);  // two layers
  // At least 9,216 numbers each: 4 % is more than five standard errors of a spread.
  EXPECT_NEAR(spread("model.embed_tokens.weight"), 0.12, 0.04 * 0.12);
  const double linear = 0.5 / std::sqrt(96.0), down = 0.5 / std::sqrt(128.0) * residual;
  EXPECT_NEAR(spread("model.layers.0.mlp.gate_proj.weight"), linear, 0.04 * linear);
  EXPECT_NEAR(spread("model.layers.0.self_attn.o_proj.weight"), down,
              0.04 * down);  // 128 wide, too
  EXPECT_NEAR(spread("model.layers.1.mlp.down_proj.weight"), down, 0.04 * down);
  EXPECT_THAT(all.at("model.layers.0.self_attn.q_proj.bias"), testing::Each(0.0f));
  EXPECT_THAT(all.at("model.norm.weight"), testing::Each(1.0f));
}

TEST(Weights, AreTheSameBitsAfterTheWayThroughAFile) {
  const TemporaryFolder folder;
  for (const bool is_tied : {true, false}) {
    Weights weights(tiny_config(is_tied));
    randomise(weights, 7);
    write_tensors(folder / "model.safetensors", to_tensors(weights, weights.flat()));
    Weights other(tiny_config(is_tied));
    other.load(TensorSet(folder / "model.safetensors"));
    EXPECT_TRUE(same_numbers(other.flat(), weights.flat()));
    // The leaves are views of what was loaded.
    EXPECT_TRUE(same_numbers(other.layers[1].qkv, weights.layers[1].qkv));
  }
}

TEST(Weights, OfEveryFamilyAreTheSameBitsAfterTheWayThroughAFile) {
  const TemporaryFolder folder;
  ModelConfig c = tiny_config(false);
  c.qk_norm = c.attention_output_bias = c.mlp_bias = true;
  Weights weights(c), other(c);
  randomise(weights, 7);
  write_tensors(folder / "x", to_tensors(weights, weights.flat()));
  const TensorSet set(folder / "x");
  EXPECT_NO_THROW(set.check(checkpoint_tensors(c)));
  other.load(set);
  EXPECT_TRUE(same_numbers(other.flat(), weights.flat()));
  EXPECT_EQ(other.layers[0].down_bias.numel(), 32);  // padded to panels
  EXPECT_EQ(other.layers[0].q_norm.numel(), 8);
}

TEST(Weights, InBfloat16AreThoseOfFloat32Rounded) {
  const TemporaryFolder folder;
  const WeightsOptions half{.dtype = Dtype::kBfloat16, .is_trainable = false};
  Weights weights(tiny_config(false)), rounded(tiny_config(false), half);
  randomise(weights, 7);
  write_tensors(folder / "x", to_tensors(weights, weights.flat()));
  rounded.load(TensorSet(folder / "x"));
  EXPECT_EQ(rounded.layers[0].qkv.scalar_type(), at::kBFloat16);
  EXPECT_EQ(rounded.layers[0].qkv.sizes(), weights.layers[0].qkv.sizes());
  EXPECT_EQ(rounded.layers[0].input_norm.scalar_type(), at::kFloat);
  const auto expected = by_name(weights);
  for (const auto& [name, values] : by_name(rounded)) {
    const bool is_vector = name.ends_with("bias") || name.find("norm") != name.npos;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float x = expected.at(name)[i];
      ASSERT_EQ(values[i], is_vector ? x : from_bfloat16(to_bfloat16(x))) << name;
    }
  }
  // The way through a file of bfloat16 loses nothing.
  write_tensors(folder / "half", to_tensors(rounded, rounded.flat()), Dtype::kFloat32);
  Weights again(tiny_config(false), half);
  again.load(TensorSet(folder / "half"));
  EXPECT_TRUE(same_numbers(again.flat(), rounded.flat()));
}

TEST(Weights, TakeTheMemoryAndHaveTheParametersThatTheConfigTells) {
  ModelConfig c = tiny_config(false);
  EXPECT_EQ(count_parameters(c).total(), Weights(c).num_parameters());
  c.hidden_size = 32, c.head_dim = 16, c.intermediate_size = 48;  // whole panels
  c.qk_norm = c.mlp_bias = true;
  EXPECT_EQ(count_parameters(c).total(), Weights(c).num_parameters());
  for (const Dtype dtype : {Dtype::kFloat32, Dtype::kBfloat16}) {
    Weights weights(c, {.dtype = dtype, .is_trainable = false});
    EXPECT_EQ(static_cast<std::size_t>(weights_bytes(c, dtype)), weights.flat().nbytes());
  }
}

TEST(Weights, WithoutTrainingHaveNoGradient) {
  Weights weights(tiny_config(), {.is_trainable = false});
  EXPECT_FALSE(weights.grad().defined());
  EXPECT_FALSE(weights.layers[0].qkv.requires_grad());
  EXPECT_FALSE(weights.layers[0].qkv.grad().defined());
}

TEST(Weights, BuffersOfTheSameLayoutTravelUnderAPrefix) {
  const TemporaryFolder folder;
  Weights weights(tiny_config());
  at::Tensor read = weights.flat().clone();
  weights.init(3);
  std::vector<NamedTensor> moments = to_tensors(weights, weights.flat());
  for (NamedTensor& t : moments) t.name = "m." + t.name;
  write_tensors(folder / "m", moments);
  weights.read(TensorSet(folder / "m"), read, "m.");
  EXPECT_TRUE(same_numbers(read, weights.flat()));
}

TEST(Weights, ANumberThatIsNotFiniteIsNamedWithItsTensor) {
  const TemporaryFolder folder;
  const std::string file = (folder / "model.safetensors").string();
  Weights weights(tiny_config());
  weights.init(1);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    auto tensors = to_tensors(weights, weights.flat());
    tensors[3].data.back() = bad;
    write_tensors(file, tensors);
    EXPECT_EQ(failure_of([&] { weights.load(TensorSet(file)); }).message,
              "`" + tensors[3].name + "` in " + file + " holds a number that is not finite");
  }
}

}  // namespace
}  // namespace qed
