#include "core/train/optimizer.h"

#include "core/ops/cpu_kernels.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <numbers>

namespace qed {

namespace {

constexpr std::int64_t kGrain = 1 << 14;  // numbers per piece of work

// In double and in one order, so that the norm does not depend on threads.
double l2_norm(const float* x, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
  return std::sqrt(sum);
}

}  // namespace

double learning_rate(const TrainTable& options, std::int64_t step, std::int64_t num_steps) {
  double factor = 1;
  if (options.schedule == "cosine") {
    const double done = static_cast<double>(step - 1) / static_cast<double>(num_steps);
    factor = options.min_lr_frac +
             (1 - options.min_lr_frac) * 0.5 * (1 + std::cos(std::numbers::pi * done));
  }
  if (options.warmup > 0) {
    factor *= std::min(1.0, static_cast<double>(step) / static_cast<double>(options.warmup));
  }
  return options.lr * factor;
}

AdamW::AdamW(Weights& weights)
    : weights_(weights), m_(at::zeros_like(weights.flat())), v_(at::zeros_like(weights.flat())) {}

double AdamW::step(const TrainTable& options, double lr) {
  const std::int64_t n = weights_.grad().numel();
  float* grad = weights_.grad().data_ptr<float>();
  const double norm = l2_norm(grad, n);
  if (!std::isfinite(norm)) {
    throw Error("the gradient is not finite", "lower train.lr or train.clip_norm");
  }
  const double scale = options.clip_norm > 0 ? std::min(1.0, options.clip_norm / (norm + 1e-6)) : 1;
  ++num_steps_;
  const auto t = static_cast<double>(num_steps_);
  const double bias1 = 1 - std::pow(options.betas[0], t), bias2 = 1 - std::pow(options.betas[1], t);
  float *w = weights_.flat().data_ptr<float>(), *m = m_.data_ptr<float>(),
        *v = v_.data_ptr<float>();
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    ops::cpu_kernels().adamw(w + begin, grad + begin, m + begin, v + begin, end - begin,
                             static_cast<float>(lr), static_cast<float>(options.betas[0]),
                             static_cast<float>(options.betas[1]), static_cast<float>(options.eps),
                             static_cast<float>(options.weight_decay), static_cast<float>(bias1),
                             static_cast<float>(bias2), static_cast<float>(scale));
  });
  weights_.grad().zero_();
  return norm;
}

std::vector<TensorSpec> AdamW::moments() const {
  std::vector<TensorSpec> out;
  for (const char* prefix : {"m.", "v."}) {
    for (const TensorSpec& t : weights_.tensors()) out.push_back({prefix + t.name, t.shape});
  }
  return out;
}

void AdamW::write(const std::filesystem::path& file) const {
  const RowSource m = weights_.rows(m_), v = weights_.rows(v_);
  const std::size_t n = weights_.tensors().size();
  write_safetensors(file, moments(), Dtype::kFloat32,
                    [&](std::size_t i, std::int64_t row, std::int64_t num_rows, float* out) {
                      i < n ? m(i, row, num_rows, out) : v(i - n, row, num_rows, out);
                    });
}

void AdamW::read(const std::filesystem::path& file) {
  const TensorSet set(file);
  set.check(moments());
  weights_.read(set, m_, "m.");
  weights_.read(set, v_, "v.");
}

}  // namespace qed
