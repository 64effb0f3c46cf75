// The whole model against the plain one, and against itself through the cache.

#include "core/model/transformer.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "tests/model/model_fixture.h"
#include "tests/model/reference_model.h"

namespace qed {
namespace {

// Three sequences of 1, 20 and 34 tokens.
struct Batch {
  std::vector<std::int64_t> offset = {0, 1, 21, 55};
  at::Tensor id = random_ids(55, 0, 20, 1), position = at::empty({55}, at::kLong);
  Batch() {
    for (std::size_t b = 0; b + 1 < offset.size(); ++b) {
      for (auto t = offset[b]; t < offset[b + 1]; ++t) {
        position.data_ptr<std::int64_t>()[t] = t - offset[b];
      }
    }
  }
};

// A family, and what its config.json may switch on.
struct Family {
  const char* name;
  ModelConfig config;
};

Family family(const char* name, void (*change)(ModelConfig&), bool is_tied = true) {
  Family out{name, tiny_config(is_tied)};
  out.config.attention_bias = false;
  change(out.config);
  return out;
}

const Family kFamilies[] = {
    {"Qwen2Tied", tiny_config(true)},
    {"Qwen2Untied", tiny_config(false)},
    family("Qwen3", [](ModelConfig& c) { c.model_type = "qwen3", c.qk_norm = true; }),
    family(
        "Llama3",
        [](ModelConfig& c) {
          c.model_type = "llama";
          // Of four frequencies two stay, one is interpolated, one is divided.
          c.rope_scaling = {"llama3", 8, 1, 4, 1024};
        },
        false),
    family("LlamaWithBiases",
           [](ModelConfig& c) {
             c.model_type = "llama";
             c.attention_bias = c.attention_output_bias = c.mlp_bias = true;
           }),
};

class Model : public testing::TestWithParam<Family> {
 protected:
  Model() { randomise(model_.weights(), 11); }

  Transformer model_{GetParam().config};
  const Batch batch_;
};

TEST_P(Model, HiddenStatesAndLogitsMatchThePlainOne) {
  const NamedTensors w = named_tensors(model_.weights(), model_.weights().flat());
  const at::Tensor h = model_.forward(batch_.id, batch_.position, {.offset = batch_.offset});
  const at::Tensor expected =
      plain_forward(w, model_.config(), batch_.id, batch_.position, batch_.offset);
  EXPECT_TRUE(is_close(h, expected, 2e-5));
  EXPECT_TRUE(is_close(model_.logits(h.detach()), reference::linear(expected, lm_head(w)), 2e-5));
}

TEST_P(Model, EveryGradientMatchesThePlainOne) {
  const at::Tensor target = random_ids(55, 0, 20, 2), above = random_tensor({55}, 3);
  const auto support = std::make_shared<ops::Support>();
  NamedTensors w = named_tensors(model_.weights(), model_.weights().flat());
  for (auto& [name, t] : w) t.set_requires_grad(true);
  const at::Tensor expected =
      plain_forward(w, model_.config(), batch_.id, batch_.position, batch_.offset);
  reference::token_logp(expected, lm_head(w), target, at::ones({55}), *support)
      .logp.backward(above.to(at::kDouble));

  const at::Tensor h = model_.forward(batch_.id, batch_.position, {.offset = batch_.offset});
  model_.token_logp(h, target, at::ones({55}), support).logp.backward(above);
  double largest = 0;
  for (const auto& [name, t] : w)
    largest = std::max(largest, at::abs(t.grad()).max().item<double>());
  for (const auto& [name, grad] : named_tensors(model_.weights(), model_.weights().grad())) {
    const double own = at::abs(w[name].grad()).max().item<double>();
    // A key's bias moves all scores of a row alike: its gradient is 0 but for what rounding leaves.
    EXPECT_TRUE(is_close(grad, w[name].grad(), 2e-5 * std::max(1.0, 0.01 * largest / own))) << name;
  }
}

TEST_P(Model, WithoutTrainingGivesTheSameBitsAndHasNoGradient) {
  Transformer other(GetParam().config, {.is_trainable = false});
  randomise(other.weights(), 11);
  const at::Tensor expected = model_.forward(batch_.id, batch_.position, {.offset = batch_.offset});
  const at::Tensor h = other.forward(batch_.id, batch_.position, {.offset = batch_.offset});
  EXPECT_TRUE(same_bits(h, expected.detach()));
  EXPECT_FALSE(h.requires_grad());
  EXPECT_FALSE(other.weights().grad().defined());
}

TEST_P(Model, LayersThatAreComputedAgainGiveTheSameBitsAndTheSameGradient) {
  const std::vector<std::int64_t> prefix = {-1, 0, 0};  // borrowed by the forward alone
  const at::Tensor above = random_tensor({55, model_.config().hidden_size}, 4);
  const auto run = [&](bool recompute) {
    model_.weights().grad().zero_();
    at::Tensor h;
    {
      const std::vector<std::int64_t> offset = batch_.offset;
      h = model_.forward(batch_.id, batch_.position,
                         {.offset = offset, .prefix = prefix, .recompute = recompute});
    }
    h.backward(above);
    return std::pair(h.detach(), model_.weights().grad().clone());
  };
  const auto [kept, kept_grad] = run(false);
  const auto [again, again_grad] = run(true);
  EXPECT_TRUE(same_bits(again, kept));
  EXPECT_TRUE(same_bits(again_grad, kept_grad));
}

TEST_P(Model, GradientsAddUpUntilTheyAreCleared) {
  const auto run = [&] {
    model_.forward(batch_.id, batch_.position, {.offset = batch_.offset}).sum().backward();
  };
  run();
  const at::Tensor once = model_.weights().grad().clone();
  run();
  EXPECT_TRUE(is_close(model_.weights().grad(), 2 * once, 1e-6));
}

TEST_P(Model, PrefillAndDecodingThroughACacheGiveTheBitsOfThePackedForward) {
  const at::NoGradGuard no_grad;
  const at::Tensor packed = model_.forward(batch_.id, batch_.position, {.offset = batch_.offset});
  KvCache cache(model_.config(), 8);
  const auto forward = [&](std::int64_t begin, std::int64_t count,
                           const std::vector<std::int32_t>& pages) {
    const ops::CacheRun run{0, count, batch_.position.const_data_ptr<std::int64_t>()[begin],
                            pages.data()};
    return model_.forward(batch_.id.narrow(0, begin, count).contiguous(),
                          batch_.position.narrow(0, begin, count).contiguous(),
                          {.offset = {}, .cache = &cache, .runs = std::span(&run, 1)});
  };
  // The third sequence: a prefill of 7 rows, and the rest row by row in a copy of its page.
  EXPECT_TRUE(same_bits(forward(21, 7, {5}), packed.narrow(0, 21, 7)));
  cache.copy(5, 2);
  for (std::int64_t t = 28; t < 55; ++t) {
    ASSERT_TRUE(same_bits(forward(t, 1, {2, 7, 0}), packed.narrow(0, t, 1))) << "row " << t;
  }
}

TEST_P(Model, ASequenceDoesNotDependOnItsNeighbours) {
  const at::NoGradGuard no_grad;
  const at::Tensor packed = model_.forward(batch_.id, batch_.position, {.offset = batch_.offset});
  const std::vector<std::int64_t> alone = {0, 20};
  const at::Tensor h =
      model_.forward(batch_.id.narrow(0, 1, 20).contiguous(),
                     batch_.position.narrow(0, 1, 20).contiguous(), {.offset = alone});
  EXPECT_TRUE(same_bits(h, packed.narrow(0, 1, 20)));
}

INSTANTIATE_TEST_SUITE_P(Families, Model, testing::ValuesIn(kFamilies),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace qed
