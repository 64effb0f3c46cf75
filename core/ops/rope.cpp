#include "core/ops/rope.h"

#include "core/ops/cpu_kernels.h"
#include "core/ops/device.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <mutex>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 256;           // rows per piece of work
constexpr std::int64_t kFirstPositions = 256;  // rows that a table has at least

void rotate(const at::Tensor& x, const at::Tensor& position, const at::Tensor& cos,
            const at::Tensor& sin, std::int64_t heads, float direction) {
  float* data = x.data_ptr<float>();
  const std::int64_t stride = x.size(1), dim = 2 * cos.size(1);
  const std::int64_t* p = position.const_data_ptr<std::int64_t>();
  const float *c = cos.const_data_ptr<float>(), *s = sin.const_data_ptr<float>();
  parallel_for(x.size(0), kGrain, [&](std::int64_t begin, std::int64_t end) {
    cpu_kernels().rope(data + begin * stride, stride, p + begin, c, s, end - begin, heads, dim,
                       direction);
  });
}

struct Rope : torch::autograd::Function<Rope> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& position,
                            const at::Tensor& cos, const at::Tensor& sin, std::int64_t heads) {
    rotate(x, position, cos, sin, heads, 1);
    ctx->mark_dirty({x});
    ctx->save_for_backward({position, cos, sin});
    ctx->saved_data["heads"] = heads;
    return x;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor dx = grads[0].clone();
    rotate(dx, saved[0], saved[1], saved[2], ctx->saved_data["heads"].toInt(), -1);
    return {dx, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

// One past the largest position.
std::int64_t num_positions(const at::Tensor& position) {
  const std::int64_t* p = position.const_data_ptr<std::int64_t>();
  const auto [least, most] = std::minmax_element(p, p + position.size(0));
  if (position.size(0) == 0) return 0;
  QED_CHECK(*least >= 0, "[rope] position ", *least);
  return *most + 1;
}

}  // namespace

void RopeTable::grow(std::int64_t positions) {
  const std::int64_t have = this->positions();
  if (positions <= have) return;
  const std::int64_t rows = std::max({positions, 2 * have, kFirstPositions});
  at::Tensor cos = at::empty({rows, half()}, at::kFloat), sin = at::empty_like(cos);
  float *c = cos.data_ptr<float>(), *s = sin.data_ptr<float>();
  for (std::int64_t p = 0; p < rows; ++p) {
    for (std::int64_t i = 0; i < half(); ++i) {
      const float angle = static_cast<float>(p) * frequency_[static_cast<std::size_t>(i)];
      c[p * half() + i] = std::cos(angle);
      s[p * half() + i] = std::sin(angle);
    }
  }
  cos_ = cos;
  sin_ = sin;
  if (device() == nullptr) return;
  device_cos_ = device()->upload(cos);
  device_sin_ = device()->upload(sin);
}

at::Tensor rope(const at::Tensor& x, const at::Tensor& position, RopeTable& table,
                std::int64_t heads) {
  QED_CHECK(x.dim() == 2 && x.is_contiguous() && x.size(1) >= heads * 2 * table.half() &&
                position.numel() == x.size(0),
            "[rope] x ", x.sizes(), ", position ", position.sizes(), ", heads ", heads);
  at::Tensor cos, sin;
  {
    static std::mutex mutex;  // threads that run parts of one batch share a table
    const std::lock_guard lock(mutex);
    table.grow(num_positions(position));
    cos = table.cos();
    sin = table.sin();
  }
  if (!at::GradMode::is_enabled()) {
    rotate(x, position, cos, sin, heads, 1);
    return x;
  }
  return Rope::apply(x, position, cos, sin, heads);
}

}  // namespace qed::ops
