#include "core/train/optimizer.h"

#include "core/ops/cpu_kernels.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace qed {

namespace {

constexpr std::int64_t kGrain = 1 << 14;  // numbers per piece of work

// In double: pieces of one size, added up in one order, so that it does not depend on threads.
double l2_norm(const float* x, std::int64_t n) {
  std::vector<double> parts(static_cast<std::size_t>((n + kGrain - 1) / kGrain));
  parallel_for(
      static_cast<std::int64_t>(parts.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t p = begin; p < end; ++p) {
          parts[static_cast<std::size_t>(p)] =
              ops::cpu_kernels().row_sum_squares(x + p * kGrain, std::min(kGrain, n - p * kGrain));
        }
      });
  return std::sqrt(std::accumulate(parts.begin(), parts.end(), 0.0));
}

// The first tensor of a checkpoint whose part of a flat buffer holds such a number.
std::string first_not_finite(const Weights& weights, const at::Tensor& flat) {
  const RowSource rows = weights.rows(flat);
  std::vector<float> values;
  for (std::size_t i = 0; i < weights.tensors().size(); ++i) {
    const TensorSpec& spec = weights.tensors()[i];
    values.resize(static_cast<std::size_t>(spec.numel()));
    rows(i, 0, spec.rows(), values.data());
    if (!std::ranges::all_of(values, [](float x) { return std::isfinite(x); })) return spec.name;
  }
  return "a weight";  // padding, or a sum of numbers that are finite
}

}  // namespace

double learning_rate(const TrainTable& options, std::int64_t step, std::int64_t num_steps) {
  double factor = 1;
  if (options.schedule != "constant") {
    const double done = static_cast<double>(step - 1) / static_cast<double>(num_steps);
    const double left =
        options.schedule == "cosine" ? 0.5 * (1 + std::cos(std::numbers::pi * done)) : 1 - done;
    factor = options.min_lr_frac + (1 - options.min_lr_frac) * left;
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
    throw Error(
        cat("the gradient of ", first_not_finite(weights_, weights_.grad()), " is not finite"),
        "lower train.lr or train.clip_norm");
  }
  const double scale = options.clip_norm > 0 ? std::min(1.0, options.clip_norm / (norm + 1e-6)) : 1;
  ++num_steps_;
  const auto t = static_cast<double>(num_steps_);
  const double bias1 = 1 - std::pow(options.betas[0], t), bias2 = 1 - std::pow(options.betas[1], t);
  float *w = weights_.flat().data_ptr<float>(), *m = m_.data_ptr<float>(),
        *v = v_.data_ptr<float>();
  const auto update = [&](std::int64_t begin, std::int64_t size) {
    ops::cpu_kernels().adamw(w + begin, grad + begin, m + begin, v + begin, size,
                             static_cast<float>(lr), static_cast<float>(options.betas[0]),
                             static_cast<float>(options.betas[1]), static_cast<float>(options.eps),
                             static_cast<float>(options.weight_decay), static_cast<float>(bias1),
                             static_cast<float>(bias2), static_cast<float>(scale));
    std::fill_n(grad + begin, size, 0.0f);
    weights_.round(begin, size);
  };
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; begin += kGrain) update(begin, std::min(kGrain, end - begin));
  });
  weights_.publish();
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
