#include "core/train/critic.h"

#include <ATen/ops/index_select.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/model/model_folder.h"
#include "tests/model/model_fixture.h"
#include "tests/model/reference_model.h"
#include "tests/model/temporary_folder.h"

namespace qed {
namespace {

using testing::Each;

// Two groups of three completions.
class ValueModel : public testing::Test {
 protected:
  ValueModel() {
    randomise(policy_.weights(), 31);
    e_.offset.push_back(0);
    for (std::size_t i = 0; i < 6; ++i) {
      e_.sequences.push_back({.prompt = prompts_[i / 3], .completion = completions_[i]});
      e_.offset.push_back(e_.offset.back() + completions_[i].size());
      e_.valid.push_back(1);
    }
    e_.behavior_logp.resize(e_.offset.back());
  }

  static void randomise_head(Critic& critic) {
    const at::Tensor& head = critic.model().weights().lm_head;
    Rng rng(32);
    for (std::int64_t k = 0; k < head.size(1); ++k) {
      head.data_ptr<float>()[k * ops::kLanes] = static_cast<float>(rng.real() - 0.5);
    }
  }

  using Ids = std::vector<std::int32_t>;
  const Ids prompts_[2] = {{3, 4, 5, 6, 7}, {8, 9}};
  const Ids completions_[6] = {{1, 2, 3}, {4}, {5, 6}, {7, 8, 9, 10}, {11}, {12, 13}};
  Transformer policy_{tiny_config(false)};
  Experience e_;
};

TEST_F(ValueModel, BeginsWithThePolicysBodyAndValuesOfZero) {
  Critic critic(policy_);
  EXPECT_THAT(critic.values(e_, 1000), Each(0.0f));
  const Weights &a = critic.model().weights(), &b = policy_.weights();
  EXPECT_TRUE(same_bits(a.embedding, b.embedding));
  EXPECT_TRUE(same_bits(a.layers.back().down, b.layers.back().down));
  EXPECT_TRUE(same_bits(a.final_norm, b.final_norm));
  EXPECT_EQ(a.tensors().back().name, "score.weight");
}

TEST_F(ValueModel, ValuesAreThoseOfThePositionsBeforeTheTokens) {
  Critic critic(policy_);
  randomise_head(critic);
  const std::vector<float> values = critic.values(e_, 1000);
  const NamedTensors w = named_tensors(critic.model().weights(), critic.model().weights().flat());
  for (std::size_t b = 0; b < 6; ++b) {
    const Packed p = pack(std::span(e_.sequences).subspan(b, 1));
    const at::Tensor h = at::index_select(
        plain_forward(w, critic.model().config(), p.id, p.position, p.offset), 0, p.row);
    const at::Tensor expected = reference::linear(h, w.at("score.weight"));
    for (std::int64_t t = 0; t < expected.size(0); ++t) {
      EXPECT_NEAR(values[e_.offset[b] + static_cast<std::uint64_t>(t)],
                  expected.data_ptr<double>()[t], 1e-5);
    }
  }
}

TEST_F(ValueModel, ValuesDoNotDependOnTheCutAndInvalidSequencesHaveNone) {
  Critic critic(policy_);
  randomise_head(critic);
  const std::vector<float> values = critic.values(e_, 1000);
  EXPECT_EQ(critic.values(e_, 1), values);
  EXPECT_EQ(critic.values(e_, 9), values);
  e_.valid[3] = 0;
  const std::vector<float> some = critic.values(e_, 1000);
  for (std::size_t t = 0; t < values.size(); ++t) {
    const bool is_out = t >= e_.offset[3] && t < e_.offset[4];
    EXPECT_EQ(some[t], is_out ? 0 : values[t]);
  }
}

TEST_F(ValueModel, LearnsValues) {
  Critic critic(policy_);
  TrainTable options;
  options.lr = 3e-3;
  const Packed batch = pack(e_.sequences, Prompts::kShared);
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    const at::Tensor values = Critic::forward(critic.model(), batch);
    at::Tensor grad = at::empty_like(values.detach());
    last = 0;
    for (std::int64_t t = 0; t < values.numel(); ++t) {
      const float error = values.const_data_ptr<float>()[t] - static_cast<float>(t % 3);
      grad.data_ptr<float>()[t] = error;
      last += error * error;
    }
    if (step == 0) first = last;
    values.backward(grad);
    critic.optimizer().step(options, options.lr);
  }
  EXPECT_LT(last, 0.25 * first);
}

TEST_F(ValueModel, IsReadFromAFolderOfItsOwnOrOfALanguageModel) {
  const TemporaryFolder folder;
  Critic critic(policy_);
  randomise_head(critic);
  const auto write = [&](Transformer& model) {
    write_file(folder.path() / "from.json",
               R"({"model_type": "qwen2", "vocab_size": 21, "hidden_size": 24,
                   "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4,
                   "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64,
                   "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "tie_word_embeddings": false})");
    write_model_folder(folder.path(), folder.path() / "from.json", model.weights().tensors(),
                       Dtype::kFloat32, model.weights().rows(model.weights().flat()));
  };
  write(critic.model());
  EXPECT_EQ(Critic(folder.path()).values(e_, 1000), critic.values(e_, 1000));
  write(policy_);
  Critic fresh(folder.path());
  EXPECT_THAT(fresh.values(e_, 1000), Each(0.0f));
  EXPECT_TRUE(same_bits(fresh.model().weights().final_norm, policy_.weights().final_norm));
}

}  // namespace
}  // namespace qed
