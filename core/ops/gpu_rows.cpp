// Ops that work row by row, and products, on a GPU.

#include "core/ops/gpu.h"
#include "core/util/error.h"

#include <algorithm>
#include <numeric>

namespace qed::ops::gpu {

namespace {

Device& here() { return *device(); }
const cuda::KernelTable& table() { return here().table(); }

at::Tensor like(const at::Tensor& x) { return here().empty(x.sizes(), x.scalar_type()); }
at::Tensor floats(at::IntArrayRef sizes) { return here().empty(sizes, at::kFloat); }

// A tensor that may be undefined.
const void* data_or_null(const at::Tensor& x) { return x.defined() ? x.const_data_ptr() : nullptr; }

}  // namespace

std::int32_t dtype_of(const at::Tensor& x) {
  QED_CHECK(x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
  return x.scalar_type() == at::kFloat ? cuda::kFloat32 : cuda::kBfloat16;
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias, std::int64_t n,
                  at::ScalarType type) {
  QED_CHECK(x.scalar_type() == w.scalar_type());
  at::Tensor y = here().empty({x.size(0), n}, type);
  here().run(table().gemm, cuda::GemmArgs{.rows = x.size(0),
                                          .cols = n,
                                          .depth = x.size(1),
                                          .ab_dtype = dtype_of(x),
                                          .c_dtype = dtype_of(y),
                                          .a_turned = 0,
                                          .b_turned = 1,
                                          .accumulate = 0,
                                          .exact = here().is_exact(),
                                          .a = x.const_data_ptr(),
                                          .b = w.const_data_ptr(),
                                          .c = y.mutable_data_ptr(),
                                          .a_step = x.size(1),
                                          .b_step = x.size(1),
                                          .c_step = n,
                                          .bias = static_cast<const float*>(data_or_null(bias))});
  return y;
}

at::Tensor linear_grad_x(const at::Tensor& dy, const at::Tensor& w) {
  const std::int64_t depth = w.size(1), n = dy.size(1);
  at::Tensor dx = here().empty({dy.size(0), depth}, dy.scalar_type());
  here().run(table().gemm, cuda::GemmArgs{.rows = dy.size(0),
                                          .cols = depth,
                                          .depth = n,
                                          .ab_dtype = dtype_of(dy),
                                          .c_dtype = dtype_of(dx),
                                          .a_turned = 0,
                                          .b_turned = 0,
                                          .accumulate = 0,
                                          .exact = 0,
                                          .a = dy.const_data_ptr(),
                                          .b = w.const_data_ptr(),
                                          .c = dx.mutable_data_ptr(),
                                          .a_step = n,
                                          .b_step = depth,
                                          .c_step = depth,
                                          .bias = nullptr});
  return dx;
}

void add_linear_grad_w(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dw) {
  const std::int64_t depth = x.size(1), n = dy.size(1);
  here().run(table().gemm, cuda::GemmArgs{.rows = n,
                                          .cols = depth,
                                          .depth = dy.size(0),
                                          .ab_dtype = dtype_of(dy),
                                          .c_dtype = dtype_of(dw),
                                          .a_turned = 1,
                                          .b_turned = 0,
                                          .accumulate = 1,
                                          .exact = 0,
                                          .a = dy.const_data_ptr(),
                                          .b = x.const_data_ptr(),
                                          .c = dw.mutable_data_ptr(),
                                          .a_step = n,
                                          .b_step = depth,
                                          .c_step = depth,
                                          .bias = nullptr});
}

void add_linear_grad_bias(const at::Tensor& dy, const at::Tensor& db) {
  const at::Tensor parts = floats({cuda::num_row_pieces(dy.size(0)), dy.size(1)});
  here().run(table().column_sum, cuda::ColumnSumArgs{.rows = dy.size(0),
                                                     .cols = dy.size(1),
                                                     .dtype = dtype_of(dy),
                                                     .reserved = 0,
                                                     .x = dy.const_data_ptr(),
                                                     .parts = parts.data_ptr<float>(),
                                                     .out = db.data_ptr<float>()});
}

at::Tensor gather(const at::Tensor& from, const at::Tensor& row) {
  const std::span rows(row.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(row.numel()));
  for (const std::int64_t r : rows) QED_CHECK(r >= 0 && r < from.size(0), "[gather] row ", r);
  at::Tensor out = here().empty({row.size(0), from.size(1)}, from.scalar_type());
  const at::Tensor id = here().upload_int32(row);
  here().run(table().embedding, cuda::EmbeddingArgs{.rows = row.size(0),
                                                    .dim = from.size(1),
                                                    .dtype = dtype_of(from),
                                                    .id = id.const_data_ptr<std::int32_t>(),
                                                    .w = from.const_data_ptr(),
                                                    .out = out.mutable_data_ptr()});
  return out;
}

void scatter(const at::Tensor& from, const at::Tensor& row, const at::Tensor& to) {
  const std::int64_t* rows = row.const_data_ptr<std::int64_t>();
  std::vector<std::int32_t> source(static_cast<std::size_t>(row.size(0))), target, first;
  std::iota(source.begin(), source.end(), 0);
  std::ranges::stable_sort(source, {}, [&](std::int32_t i) { return rows[i]; });
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto at = static_cast<std::int32_t>(rows[source[i]]);
    if (!target.empty() && target.back() == at) continue;
    target.push_back(at);
    first.push_back(static_cast<std::int32_t>(i));
  }
  first.push_back(static_cast<std::int32_t>(source.size()));
  const auto upload = [](const std::vector<std::int32_t>& x) {
    return here().upload<std::int32_t>(x, at::kInt);
  };
  const at::Tensor targets = upload(target), firsts = upload(first), sources = upload(source);
  here().run(table().scatter_rows,
             cuda::ScatterRowsArgs{.targets = targets.size(0),
                                   .dim = from.size(1),
                                   .from_dtype = dtype_of(from),
                                   .to_dtype = dtype_of(to),
                                   .accumulate = 1,
                                   .reserved = 0,
                                   .from = from.const_data_ptr(),
                                   .target = targets.const_data_ptr<std::int32_t>(),
                                   .first = firsts.const_data_ptr<std::int32_t>(),
                                   .source = sources.const_data_ptr<std::int32_t>(),
                                   .to = to.mutable_data_ptr()});
}

Normed rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, float eps) {
  Normed out{delta.defined() ? like(x) : x, like(x), floats({x.size(0)})};
  here().run(table().rms_norm,
             cuda::RmsNormArgs{.rows = x.size(0),
                               .dim = x.size(1),
                               .dtype = dtype_of(x),
                               .eps = eps,
                               .x = x.const_data_ptr(),
                               .delta = data_or_null(delta),
                               .weight = weight.const_data_ptr<float>(),
                               .sum = delta.defined() ? out.sum.mutable_data_ptr() : nullptr,
                               .y = out.norm.mutable_data_ptr(),
                               .rstd = out.rstd.data_ptr<float>()});
  return out;
}

at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                             const at::Tensor& rstd, const at::Tensor& before,
                             const at::Tensor& dweight) {
  at::Tensor dx = like(dy);
  const at::Tensor parts = floats({cuda::num_row_pieces(dy.size(0)), dy.size(1)});
  here().run(table().rms_norm_backward,
             cuda::RmsNormBackwardArgs{.rows = dy.size(0),
                                       .dim = dy.size(1),
                                       .dtype = dtype_of(dy),
                                       .reserved = 0,
                                       .dy = dy.const_data_ptr(),
                                       .x = x.const_data_ptr(),
                                       .weight = weight.const_data_ptr<float>(),
                                       .rstd = rstd.const_data_ptr<float>(),
                                       .before = data_or_null(before),
                                       .dx = dx.mutable_data_ptr(),
                                       .parts = parts.data_ptr<float>(),
                                       .dweight = dweight.data_ptr<float>()});
  return dx;
}

std::pair<at::Tensor, at::Tensor> head_norm(const at::Tensor& x, const NormedHeads& h, float eps) {
  at::Tensor y = like(x), rstd = floats({x.size(0), h.heads + h.kv_heads});
  here().run(table().head_norm, cuda::HeadNormArgs{.rows = x.size(0),
                                                   .heads = h.heads,
                                                   .kv_heads = h.kv_heads,
                                                   .dim = h.q_weight.numel(),
                                                   .width = x.size(1),
                                                   .dtype = dtype_of(x),
                                                   .eps = eps,
                                                   .x = x.const_data_ptr(),
                                                   .q_weight = h.q_weight.const_data_ptr<float>(),
                                                   .k_weight = h.k_weight.const_data_ptr<float>(),
                                                   .y = y.mutable_data_ptr(),
                                                   .rstd = rstd.data_ptr<float>()});
  return {y, rstd};
}

at::Tensor head_norm_backward(const at::Tensor& dy, const at::Tensor& x, const NormedHeads& h,
                              const at::Tensor& rstd, const at::Tensor& dq_weight,
                              const at::Tensor& dk_weight) {
  at::Tensor dx = like(dy);
  const std::int64_t dim = h.q_weight.numel();
  const at::Tensor parts = floats({cuda::num_row_pieces(dy.size(0)), 2, dim});
  here().run(table().head_norm_backward,
             cuda::HeadNormBackwardArgs{.rows = dy.size(0),
                                        .heads = h.heads,
                                        .kv_heads = h.kv_heads,
                                        .dim = dim,
                                        .width = dy.size(1),
                                        .dtype = dtype_of(dy),
                                        .reserved = 0,
                                        .dy = dy.const_data_ptr(),
                                        .x = x.const_data_ptr(),
                                        .q_weight = h.q_weight.const_data_ptr<float>(),
                                        .k_weight = h.k_weight.const_data_ptr<float>(),
                                        .rstd = rstd.const_data_ptr<float>(),
                                        .dx = dx.mutable_data_ptr(),
                                        .parts = parts.data_ptr<float>(),
                                        .dq_weight = dq_weight.data_ptr<float>(),
                                        .dk_weight = dk_weight.data_ptr<float>()});
  return dx;
}

at::Tensor swiglu(const at::Tensor& gate_up) {
  const std::int64_t dim = gate_up.size(1) / 2;
  at::Tensor out = here().empty({gate_up.size(0), dim}, gate_up.scalar_type());
  here().run(table().swiglu, cuda::SwigluArgs{.rows = gate_up.size(0),
                                              .dim = dim,
                                              .dtype = dtype_of(gate_up),
                                              .gate_up = gate_up.const_data_ptr(),
                                              .out = out.mutable_data_ptr()});
  return out;
}

at::Tensor swiglu_backward(const at::Tensor& dout, const at::Tensor& gate_up) {
  at::Tensor din = like(gate_up);
  here().run(table().swiglu_backward, cuda::SwigluBackwardArgs{.rows = dout.size(0),
                                                               .dim = dout.size(1),
                                                               .dtype = dtype_of(dout),
                                                               .reserved = 0,
                                                               .dout = dout.const_data_ptr(),
                                                               .gate_up = gate_up.const_data_ptr(),
                                                               .din = din.mutable_data_ptr()});
  return din;
}

}  // namespace qed::ops::gpu
