#include "core/train/optimizer.h"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/host/host_fixture.h"
#include "tests/model/model_fixture.h"

namespace qed {
namespace {

TEST(LearningRate, WarmsUpLinearlyThenStaysConstant) {
  TrainTable options;
  options.lr = 1e-3;
  options.warmup = 4;
  const double expected[] = {0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3, 1e-3};
  for (std::int64_t step = 1; step <= 6; ++step) {
    EXPECT_DOUBLE_EQ(learning_rate(options, step, 100), expected[step - 1]);
  }
  options.warmup = 0;
  EXPECT_EQ(learning_rate(options, 1, 100), 1e-3);
  EXPECT_EQ(learning_rate(options, 1000, 100), 1e-3);
}

TEST(LearningRate, FollowsACosineDownToItsFloor) {
  TrainTable options;
  options.lr = 2;
  options.schedule = "cosine";
  options.min_lr_frac = 0.1;
  EXPECT_DOUBLE_EQ(learning_rate(options, 1, 8), 2);
  EXPECT_DOUBLE_EQ(learning_rate(options, 5, 8), 2 * 0.55);  // half of the way
  EXPECT_DOUBLE_EQ(learning_rate(options, 3, 8), 2 * (0.1 + 0.9 * (0.5 + std::sqrt(0.125))));
  EXPECT_DOUBLE_EQ(learning_rate(options, 9, 8), 2 * 0.1);
  for (std::int64_t step = 2; step <= 9; ++step) {
    EXPECT_LT(learning_rate(options, step, 8), learning_rate(options, step - 1, 8));
  }
  options.warmup = 10;  // both at one time: the factors multiply
  EXPECT_DOUBLE_EQ(learning_rate(options, 5, 8), 2 * 0.55 * 0.5);
}

TEST(LearningRate, FallsLinearlyDownToItsFloor) {
  TrainTable options;
  options.lr = 2;
  options.schedule = "linear";
  EXPECT_DOUBLE_EQ(learning_rate(options, 1, 8), 2);
  EXPECT_DOUBLE_EQ(learning_rate(options, 5, 8), 1);
  EXPECT_DOUBLE_EQ(learning_rate(options, 9, 8), 0);
  options.min_lr_frac = 0.5;
  EXPECT_DOUBLE_EQ(learning_rate(options, 5, 8), 2 * 0.75);
}

// torch.optim.AdamW in double, with torch.nn.utils.clip_grad_norm_ before it.
struct PlainAdamW {
  std::vector<double> w, m, v;
  int num_steps = 0;

  void step(const std::vector<double>& grad, const TrainTable& o, double lr) {
    double norm = 0;
    for (const double g : grad) norm += g * g;
    norm = std::sqrt(norm);
    const double scale = o.clip_norm > 0 ? std::min(1.0, o.clip_norm / (norm + 1e-6)) : 1;
    ++num_steps;
    const double bias1 = 1 - std::pow(o.betas[0], num_steps),
                 bias2 = 1 - std::pow(o.betas[1], num_steps);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double g = grad[i] * scale;
      w[i] -= lr * o.weight_decay * w[i];
      m[i] = o.betas[0] * m[i] + (1 - o.betas[0]) * g;
      v[i] = o.betas[1] * v[i] + (1 - o.betas[1]) * g * g;
      w[i] -= lr * (m[i] / bias1) / (std::sqrt(v[i] / bias2) + o.eps);
    }
  }
};

class Optimizer : public testing::Test {
 protected:
  Optimizer() {
    weights_.init(1);
    options_.betas = {0.9, 0.95};
    options_.weight_decay = 0.05;
  }

  std::span<float> flat() { return span(weights_.flat()); }
  std::span<float> grad() { return span(weights_.grad()); }
  void fill_grad(std::uint64_t seed, double scale) {
    Rng rng(seed);
    for (float& g : grad()) g = static_cast<float>(scale * (2 * rng.real() - 1));
  }

  Weights weights_{tiny_config()};
  TrainTable options_;

 private:
  static std::span<float> span(at::Tensor& t) {
    return {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())};
  }
};

TEST_F(Optimizer, FollowsTheFormulaOfTorch) {
  for (const double clip_norm : {0.0, 1.0, 1e6}) {
    options_.clip_norm = clip_norm;
    weights_.init(1);
    AdamW optimizer(weights_);
    PlainAdamW plain{{flat().begin(), flat().end()},
                     std::vector<double>(flat().size()),
                     std::vector<double>(flat().size())};
    for (std::uint64_t step = 1; step <= 6; ++step) {
      fill_grad(step, step == 4 ? 1e-4 : 0.3);
      const double lr = 1e-2 / static_cast<double>(step);
      plain.step({grad().begin(), grad().end()}, options_, lr);
      optimizer.step(options_, lr);
      for (std::size_t i = 0; i < flat().size(); ++i) {
        // Six rounded steps of at most 1e-2, on weights of about 1.
        ASSERT_NEAR(flat()[i], plain.w[i], 1e-6) << "weight " << i << ", step " << step;
      }
    }
    EXPECT_EQ(optimizer.num_steps(), 6);
  }
}

TEST_F(Optimizer, GivesTheNormBeforeClippingAndClearsTheGradient) {
  AdamW optimizer(weights_);
  grad()[3] = 3;
  grad()[7] = -4;
  EXPECT_EQ(optimizer.step(options_, 0.1), 5);
  for (const float g : grad()) ASSERT_EQ(g, 0);
  EXPECT_EQ(optimizer.step(options_, 0.1), 0);
}

TEST_F(Optimizer, RefusesAGradientThatIsNotFiniteAndChangesNothing) {
  AdamW optimizer(weights_);
  fill_grad(1, 0.1);
  optimizer.step(options_, 0.1);
  const std::vector<float> before(flat().begin(), flat().end());
  for (const float bad : {NAN, INFINITY}) {
    grad()[5] = bad;
    const Failure f = failure_of([&] { optimizer.step(options_, 0.1); });
    EXPECT_EQ(f.message, "the gradient of model.embed_tokens.weight is not finite");
    EXPECT_EQ(f.hint, "lower train.lr or train.clip_norm");
  }
  grad()[5] = 0;
  weights_.final_norm.mutable_grad().fill_(NAN);
  EXPECT_EQ(failure_of([&] { optimizer.step(options_, 0.1); }).message,
            "the gradient of model.norm.weight is not finite");
  EXPECT_EQ(optimizer.num_steps(), 1);
  EXPECT_EQ(std::vector<float>(flat().begin(), flat().end()), before);
}

TEST_F(Optimizer, GoesOnFromAFileWithTheSameBits) {
  const TemporaryFolder folder;
  AdamW optimizer(weights_);
  for (std::uint64_t step = 1; step <= 3; ++step) {
    fill_grad(step, 0.1);
    optimizer.step(options_, 1e-2);
  }
  optimizer.write(folder / "optimizer");
  write_tensors(folder / "weights", to_tensors(weights_, weights_.flat()));
  fill_grad(4, 0.1);
  optimizer.step(options_, 1e-2);
  const auto expected = to_tensors(weights_, weights_.flat());

  weights_.load(TensorSet(folder / "weights"));
  AdamW other(weights_);
  other.read(folder / "optimizer");
  other.set_num_steps(3);
  fill_grad(4, 0.1);
  other.step(options_, 1e-2);
  const auto found = to_tensors(weights_, weights_.flat());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].data, expected[i].data) << found[i].name;
  }
}

TEST_F(Optimizer, LeavesThePaddingOfTheWeightsAtZero) {
  const std::vector<std::int64_t> id = {1, 2, 20}, offset = {0, 3};
  Transformer model(tiny_config());
  randomise(model.weights(), 2);
  AdamW optimizer(model.weights());
  at::Tensor ids = at::empty({3}, at::kLong), position = at::empty({3}, at::kLong);
  for (std::int64_t i = 0; i < 3; ++i) {
    ids.data_ptr<std::int64_t>()[i] = id[i];
    position.data_ptr<std::int64_t>()[i] = i;
  }
  model.forward(ids, position, {.offset = offset}).sum().backward();
  EXPECT_GT(optimizer.step(options_, 0.1), 0);
  const float* panel = model.weights().embedding.const_data_ptr<float>() + 24 * 16;  // ids 16 to 20
  for (std::int64_t k = 0; k < 24; ++k) {
    for (std::int64_t lane = 5; lane < 16; ++lane) ASSERT_EQ(panel[k * 16 + lane], 0);
  }
}

}  // namespace
}  // namespace qed
