#include "core/ops/rope.h"

#include "core/ops/cpu_kernels.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 256;  // rows per piece of work

void rotate(const at::Tensor& x, const at::Tensor& position, const RopeTable& table,
            std::int64_t heads, float direction) {
  float* data = x.data_ptr<float>();
  const std::int64_t stride = x.size(1), dim = 2 * table.cos.size(1);
  const std::int64_t* p = position.const_data_ptr<std::int64_t>();
  const std::int64_t* last = std::max_element(p, p + x.size(0));
  QED_CHECK(x.size(0) == 0 || *last < table.cos.size(0), "[rope] position ", *last, " of ",
            table.cos.size(0));
  const float *cos = table.cos.const_data_ptr<float>(), *sin = table.sin.const_data_ptr<float>();
  parallel_for(x.size(0), kGrain, [&](std::int64_t begin, std::int64_t end) {
    cpu_kernels().rope(data + begin * stride, stride, p + begin, cos, sin, end - begin, heads, dim,
                       direction);
  });
}

struct Rope : torch::autograd::Function<Rope> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& position,
                            const at::Tensor& cos, const at::Tensor& sin, std::int64_t heads) {
    rotate(x, position, {cos, sin}, heads, 1);
    ctx->mark_dirty({x});
    ctx->save_for_backward({position, cos, sin});
    ctx->saved_data["heads"] = heads;
    return x;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor dx = grads[0].clone();
    rotate(dx, saved[0], {saved[1], saved[2]}, ctx->saved_data["heads"].toInt(), -1);
    return {dx, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

RopeTable rope_table(std::int64_t positions, std::int64_t dim, double theta) {
  const std::int64_t half = dim / 2;
  RopeTable table{at::empty({positions, half}, at::kFloat),
                  at::empty({positions, half}, at::kFloat)};
  float *cos = table.cos.data_ptr<float>(), *sin = table.sin.data_ptr<float>();
  for (std::int64_t i = 0; i < half; ++i) {
    const double exponent = static_cast<double>(2 * i) / static_cast<double>(dim);
    const float frequency = 1.0f / static_cast<float>(std::pow(theta, exponent));
    for (std::int64_t p = 0; p < positions; ++p) {
      const float angle = static_cast<float>(p) * frequency;
      cos[p * half + i] = std::cos(angle);
      sin[p * half + i] = std::sin(angle);
    }
  }
  return table;
}

at::Tensor rope(const at::Tensor& x, const at::Tensor& position, const RopeTable& table,
                std::int64_t heads) {
  QED_CHECK(x.dim() == 2 && x.is_contiguous() && x.size(1) >= heads * 2 * table.cos.size(1) &&
                position.numel() == x.size(0),
            "[rope] x ", x.sizes(), ", position ", position.sizes(), ", heads ", heads);
  if (!at::GradMode::is_enabled()) {
    rotate(x, position, table, heads, 1);
    return x;
  }
  return Rope::apply(x, position, table.cos, table.sin, heads);
}

}  // namespace qed::ops
