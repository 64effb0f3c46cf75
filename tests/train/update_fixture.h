#pragma once

// A small model, completions that it drew, and their advantages: what updates are tested with.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "core/train/advantages.h"
#include "core/train/policy_gradient.h"
#include "core/train/update.h"
#include "tests/host/host_fixture.h"
#include "tests/host/options.h"
#include "tests/model/model_fixture.h"
#include "tests/model/reference_model.h"

namespace qed {

inline constexpr std::int64_t kWhole = 1 << 20;  // micro_tokens: no cut

// |a - b| / |b|, in the L2 norm.
inline double relative_distance(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  return ((x - y).norm() / y.norm()).item<double>();
}

class Update : public testing::Test {
 protected:
  Update() {
    randomise(model_.weights(), 21);
    Rng rng(22);
    for (std::uint64_t g = 0; g < 5; ++g) {
      GenerateRequest& request = requests_.emplace_back();
      for (std::uint64_t t = 0; t <= 2 * g; ++t) {
        request.prompt.push_back(static_cast<std::int32_t>(rng.integer(0, 20)));
      }
      for (std::uint64_t s = 0; s < 4; ++s) request.samples.push_back({&plan_, 10 * g + s});
      request.max_new_tokens = 20;
    }
  }

  // Completions drawn by `plan`, with a reward each; groups 0 to 4 of four.
  Experience experience(const DrawPlan& plan) {
    plan_ = plan;
    const std::vector<std::int32_t> stop = {1};
    completions_ = generate(model_, requests_, {.stop_ids = stop, .schedule = {.max_batch = 64}});
    reward_.clear();
    for (int i = 0; i < 20; ++i) reward_.push_back(i % 3 == 0 ? 1 : 0.1 * (i % 4));
    Experience e = make_experience(requests_, completions_, reward_);
    score(model_, e, kWhole);
    return e;
  }

  // Advantages of grpo; old_logp moved so that some ratios leave the clip range.
  Experience trained_on(const DrawPlan& plan = DrawPlan::at_temperature(0.9)) {
    Experience e = experience(plan);
    MetricSums metrics;
    compute_advantages(grpo_, e, 1, 0, metrics);
    Rng rng(23);
    for (float& x : e.old_logp) x += static_cast<float>(rng.real() - 0.5);
    return e;
  }

  static std::vector<std::size_t> rows(const Experience& e) {
    std::vector<std::size_t> all(e.num_seqs());
    std::iota(all.begin(), all.end(), 0);
    return all;
  }

  at::Tensor gradient(const Experience& e, const std::vector<std::size_t>& rows,
                      std::int64_t micro_tokens = kWhole) {
    model_.weights().grad().zero_();
    metrics_.clear();
    options_.micro_tokens = micro_tokens;
    result_ = policy_gradient(model_, grpo_, e, rows, options_, metrics_);
    return model_.weights().grad().clone();
  }

  PluginHost host_{{product_plugins()}};
  Algorithm grpo_{host_.load("algorithm", "grpo"),
                  options_with(host_.load("algorithm", "grpo").spec, {{"clip_high", 0.28}}),
                  host_.abi()};
  Transformer model_{tiny_config()};
  DrawPlan plan_ = DrawPlan::at_temperature(1);
  std::vector<GenerateRequest> requests_;
  std::vector<std::vector<Completion>> completions_;
  std::vector<double> reward_;
  UpdateOptions options_;  // of gradient
  MetricSums metrics_;
  PolicyGradient result_;
};

}  // namespace qed
