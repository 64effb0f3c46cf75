#include "core/ops/select_rows.h"

#include "core/ops/gpu.h"
#include "core/ops/panels.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 64;  // rows per piece of work

at::Tensor forward(const at::Tensor& x, const at::Tensor& row) {
  if (device() != nullptr) return gpu::gather(x, row);
  const std::int64_t dim = x.size(1);
  at::Tensor out = at::empty({row.size(0), dim}, x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = out.data_ptr<float>();
  const std::int64_t* rows = row.const_data_ptr<std::int64_t>();
  parallel_for(row.size(0), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      QED_CHECK(rows[i] >= 0 && rows[i] < x.size(0), "[select_rows] row ", rows[i]);
      std::copy_n(from + rows[i] * dim, dim, to + i * dim);
    }
  });
  return out;
}

// A row that was taken twice gets two summands, so columns are cut: each sum is one chain.
at::Tensor backward(const at::Tensor& dout, const at::Tensor& row, std::int64_t num_rows) {
  const std::int64_t dim = dout.size(1);
  if (device() != nullptr) {
    at::Tensor to = device()->zeros({num_rows, dim}, dout.scalar_type());
    gpu::scatter(dout, row, to);
    return to;
  }
  at::Tensor dx = at::empty({num_rows, dim}, dout.options());
  const float* from = dout.const_data_ptr<float>();
  float* to = dx.data_ptr<float>();
  const std::int64_t* rows = row.const_data_ptr<std::int64_t>();
  parallel_for(num_panels(dim), 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * kLanes, last = std::min(end * kLanes, dim);
    for (std::int64_t t = 0; t < num_rows; ++t) {
      std::fill(to + t * dim + first, to + t * dim + last, 0.0f);
    }
    for (std::int64_t i = 0; i < row.size(0); ++i) {
      for (std::int64_t k = first; k < last; ++k) to[rows[i] * dim + k] += from[i * dim + k];
    }
  });
  return dx;
}

struct SelectRows : torch::autograd::Function<SelectRows> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& row) {
    ctx->save_for_backward({row});
    ctx->saved_data["rows"] = x.size(0);
    return ops::forward(x, row);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    return {ops::backward(grads[0].contiguous(), ctx->get_saved_variables()[0],
                          ctx->saved_data["rows"].toInt()),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor select_rows(const at::Tensor& x, const at::Tensor& row) {
  QED_CHECK(x.dim() == 2 && x.is_contiguous() && row.dim() == 1 && row.is_contiguous(),
            "[select_rows] x ", x.sizes(), ", row ", row.sizes());
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return forward(x, row);
  return SelectRows::apply(x, row);
}

}  // namespace qed::ops
