#include "core/ops/embedding.h"

#include "core/ops/gemm.h"
#include "core/ops/gpu.h"
#include "core/ops/matrix.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 64;  // rows per piece of work

at::Tensor forward(const at::Tensor& id, const at::Tensor& w) {
  if (device() != nullptr) return gpu::gather(w, id);
  const std::int64_t rows = id.size(0), dim = w.size(1);
  at::Tensor out = at::empty({rows, dim}, at::kFloat);
  const bool is_bfloat16 = w.scalar_type() == at::kBFloat16;
  const std::int64_t* ids = id.const_data_ptr<std::int64_t>();
  float* to = out.data_ptr<float>();
  parallel_for(rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      QED_CHECK(ids[t] >= 0 && ids[t] < w.size(0) * kLanes, "[embedding] id ", ids[t]);
      if (is_bfloat16) {
        from_panels(bfloat16_data(w), ids[t], 1, dim, to + t * dim);
      } else {
        from_panels(w.const_data_ptr<float>(), ids[t], 1, dim, to + t * dim);
      }
    }
  });
  return out;
}

struct Embedding : torch::autograd::Function<Embedding> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& id, const at::Tensor& w) {
    ctx->save_for_backward({id, w});
    return ops::forward(id, w);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor id = saved[0], dout = grads[0].contiguous();
    const std::int64_t dim = dout.size(1);
    const WeightGrad dw = weight_grad(saved[1]);
    if (device() != nullptr) {
      gpu::scatter(dout, id, dw.to);
      return {at::Tensor(), dw.returned};
    }
    const std::int64_t* ids = id.const_data_ptr<std::int64_t>();
    const float* from = dout.const_data_ptr<float>();
    float* to = dw.to.data_ptr<float>();
    // Columns are cut, not rows: each sum is one chain, in the order of the rows.
    parallel_for(dim, kLanes, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t t = 0; t < id.size(0); ++t) {
        float* row = to + panel_row(ids[t], dim);
        for (std::int64_t k = begin; k < end; ++k) row[k * kLanes] += from[t * dim + k];
      }
    });
    return {at::Tensor(), dw.returned};
  }
};

}  // namespace

at::Tensor embedding(const at::Tensor& id, const at::Tensor& w) {
  QED_CHECK(id.dim() == 1 && id.is_contiguous() && w.dim() == (device() != nullptr ? 2 : 3) &&
                w.is_contiguous(),
            "[embedding] id ", id.sizes(), ", w ", w.sizes());
  if (!at::GradMode::is_enabled() || !w.requires_grad()) return forward(id, w);
  return Embedding::apply(id, w);
}

}  // namespace qed::ops
