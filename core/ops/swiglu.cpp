#include "core/ops/swiglu.h"

#include "core/ops/cpu_kernels.h"
#include "core/ops/gpu.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

namespace qed::ops {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 32;  // rows per piece of work

at::Tensor forward(const at::Tensor& gate_up) {
  if (device() != nullptr) return gpu::swiglu(gate_up);
  const std::int64_t dim = gate_up.size(1) / 2;
  at::Tensor out = at::empty({gate_up.size(0), dim}, gate_up.options());
  const float* from = gate_up.const_data_ptr<float>();
  float* to = out.data_ptr<float>();
  parallel_for(gate_up.size(0), kGrain, [&](std::int64_t begin, std::int64_t end) {
    cpu_kernels().swiglu(from + begin * 2 * dim, to + begin * dim, end - begin, dim);
  });
  return out;
}

struct SwiGlu : torch::autograd::Function<SwiGlu> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate_up) {
    ctx->save_for_backward({gate_up});
    return ops::forward(gate_up);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const at::Tensor gate_up = ctx->get_saved_variables()[0], dout = grads[0].contiguous();
    if (device() != nullptr) return {gpu::swiglu_backward(dout, gate_up)};
    const std::int64_t dim = dout.size(1);
    at::Tensor din = at::empty_like(gate_up);
    const float *d = dout.const_data_ptr<float>(), *from = gate_up.const_data_ptr<float>();
    float* to = din.data_ptr<float>();
    parallel_for(dout.size(0), kGrain, [&](std::int64_t begin, std::int64_t end) {
      cpu_kernels().swiglu_backward(d + begin * dim, from + begin * 2 * dim, to + begin * 2 * dim,
                                    end - begin, dim);
    });
    return {din};
  }
};

}  // namespace

at::Tensor swiglu(const at::Tensor& gate_up) {
  QED_CHECK(gate_up.dim() == 2 && gate_up.is_contiguous() && gate_up.size(1) % 2 == 0,
            "[swiglu] gate_up ", gate_up.sizes());
  if (!at::GradMode::is_enabled()) return forward(gate_up);
  return SwiGlu::apply(gate_up);
}

}  // namespace qed::ops
