#include "core/train/optimizer.h"

#include "core/ops/cpu_kernels.h"
#include "core/ops/device.h"
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

at::Tensor zeros_as(const at::Tensor& x) {
  return ops::device() != nullptr ? ops::device()->zeros(x.sizes(), x.scalar_type())
                                  : at::zeros_like(x);
}

// The sum of squares of x [n] as one double, on the GPU.
at::Tensor sum_squares_on_gpu(const at::Tensor& x) {
  ops::Device& gpu = *ops::device();
  const at::Tensor parts = gpu.empty({cuda::num_pieces(x.numel())}, at::kDouble);
  at::Tensor out = gpu.empty({1}, at::kDouble);
  gpu.run(gpu.table().sum_squares, cuda::SumSquaresArgs{.n = x.numel(),
                                                        .x = x.const_data_ptr<float>(),
                                                        .parts = parts.data_ptr<double>(),
                                                        .out = out.data_ptr<double>()});
  return out;
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
    : weights_(weights), m_(zeros_as(weights.flat())), v_(zeros_as(weights.flat())) {}

double AdamW::step(const TrainTable& options, double lr) {
  const at::Tensor& grad = weights_.grad();
  at::Tensor sum_squares;  // on the GPU, where the step finds it
  double norm = 0;
  if (ops::device() != nullptr) {
    sum_squares = sum_squares_on_gpu(grad);
    ops::device()->read(sum_squares, &norm);
    norm = std::sqrt(norm);
  } else {
    norm = l2_norm(grad.const_data_ptr<float>(), grad.numel());
  }
  if (!std::isfinite(norm)) {
    throw Error(cat("the gradient of ", first_not_finite(weights_, grad), " is not finite"),
                "lower train.lr or train.clip_norm");
  }
  ++num_steps_;
  const auto t = static_cast<double>(num_steps_);
  const cuda::AdamwArgs args{
      .n = grad.numel(),
      .w = weights_.flat().data_ptr<float>(),
      .grad = grad.data_ptr<float>(),
      .m = m_.data_ptr<float>(),
      .v = v_.data_ptr<float>(),
      .bfloat16 = weights_.rounded_data(),
      .sum_squares = sum_squares.defined() ? sum_squares.const_data_ptr<double>() : nullptr,
      .clip_norm = options.clip_norm,
      .lr = static_cast<float>(lr),
      .beta1 = static_cast<float>(options.betas[0]),
      .beta2 = static_cast<float>(options.betas[1]),
      .eps = static_cast<float>(options.eps),
      .weight_decay = static_cast<float>(options.weight_decay),
      .bias1 = static_cast<float>(1 - std::pow(options.betas[0], t)),
      .bias2 = static_cast<float>(1 - std::pow(options.betas[1], t))};
  if (ops::device() != nullptr) {
    ops::device()->run(ops::device()->table().adamw, args);
  } else {
    const double scale =
        options.clip_norm > 0 ? std::min(1.0, options.clip_norm / (norm + 1e-6)) : 1;
    update_on_cpu(args, static_cast<float>(scale));
  }
  weights_.publish();
  return norm;
}

// One pass over memory: the step, the rounded copy, and a gradient of 0.
void AdamW::update_on_cpu(const cuda::AdamwArgs& a, float grad_scale) {
  const auto update = [&](std::int64_t begin, std::int64_t size) {
    ops::cpu_kernels().adamw(a.w + begin, a.grad + begin, a.m + begin, a.v + begin, size, a.lr,
                             a.beta1, a.beta2, a.eps, a.weight_decay, a.bias1, a.bias2, grad_scale);
    std::fill_n(a.grad + begin, size, 0.0f);
    weights_.round(begin, size);
  };
  parallel_for(a.n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; begin += kGrain) update(begin, std::min(kGrain, end - begin));
  });
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
