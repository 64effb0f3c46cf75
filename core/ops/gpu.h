#pragma once

// The ops on a GPU, without their autograd, which is that of the CPU's ops: shapes and formulas are
// those of the headers named below. Tensors are the device's, float32 or bfloat16, unless they are
// said to be on the host. Matrices of weights are row-major, [N, K], of the type of what they are
// multiplied with; vectors of weights, and all gradients of weights, are float32.

#include "core/ops/attention.h"
#include "core/ops/device.h"
#include "core/ops/rope.h"
#include "core/ops/token_logp.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>

namespace qed::ops::gpu {

// linear.h: y [T, n] of type `type`.
at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias, std::int64_t n,
                  at::ScalarType type);
at::Tensor linear_grad_x(const at::Tensor& dy, const at::Tensor& w);
void add_linear_grad_w(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dw);
void add_linear_grad_bias(const at::Tensor& dy, const at::Tensor& db);

// embedding.h and select_rows.h: row i of the result is from[row[i]]. `row` int64, on the host.
at::Tensor gather(const at::Tensor& from, const at::Tensor& row);
// The gradient: adds row i of `from` to to[row[i]], i ascending.
void scatter(const at::Tensor& from, const at::Tensor& row, const at::Tensor& to);

// rms_norm.h: delta may be undefined. sum is x + delta, or x itself; rstd [T] float32.
struct Normed {
  at::Tensor sum, norm, rstd;
};
Normed rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, float eps);
// The gradient in x, `before` added where it is defined; adds to dweight.
at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                             const at::Tensor& rstd, const at::Tensor& before,
                             const at::Tensor& dweight);

struct NormedHeads {
  std::int64_t heads, kv_heads;
  const at::Tensor &q_weight, &k_weight;
};
// {y, rstd [T, heads + kv_heads]}.
std::pair<at::Tensor, at::Tensor> head_norm(const at::Tensor& x, const NormedHeads& heads,
                                            float eps);
at::Tensor head_norm_backward(const at::Tensor& dy, const at::Tensor& x, const NormedHeads& heads,
                              const at::Tensor& rstd, const at::Tensor& dq_weight,
                              const at::Tensor& dk_weight);

// swiglu.h.
at::Tensor swiglu(const at::Tensor& gate_up);
at::Tensor swiglu_backward(const at::Tensor& dout, const at::Tensor& gate_up);

// Where the rows of a forward are: made once, for all layers.
struct Rows {
  at::Tensor position, sequence, num_keys;  // [T] int32
  std::int64_t max_splits = 1;
  at::Tensor pages;                               // of runs: [runs, max_pages] int32
  std::int64_t max_pages = 0;                     // likewise
  at::Tensor offset, prefix, child_first, child;  // of packed sequences; see train_args.h
  std::int64_t num_sequences = 0;
};
// Rows of `position`, int64 on the host, of packed sequences or of runs; see attention.h. Grows the
// table to their positions.
std::shared_ptr<const Rows> place_rows(const at::Tensor& position, RopeTable& table,
                                       std::span<const std::int64_t> offset,
                                       std::span<const std::int64_t> prefix,
                                       std::span<const CacheRun> runs);

// rope() on the first heads, then attention() or, with a `pool`, attention_paged(). Changes qkv.
// Differentiable without a pool.
at::Tensor rotate_and_attend(const at::Tensor& qkv, const Heads& shape, const RopeTable& table,
                             const std::shared_ptr<const Rows>& rows, void* pool);

// token_logp.h. h and w on the device; target, inv_temperature and the results on the host. Throws
// Error where the support has a LogitChange.
struct LogpInput {
  const at::Tensor &h, &w;
  std::int64_t vocab;
  const at::Tensor &target, &inv_temperature;
  const Support& support;
};
void token_logp(const LogpInput& in, float* logp, float* entropy);
// dentropy may be undefined: 0. Gives dh and adds to dw.
at::Tensor token_logp_backward(const LogpInput& in, const at::Tensor& dlogp,
                               const at::Tensor& dentropy, const at::Tensor& dw);

// A copy on the host; differentiable.
at::Tensor to_host(const at::Tensor& x);

// kFloat32 or kBfloat16 of core/cuda.
std::int32_t dtype_of(const at::Tensor& x);

}  // namespace qed::ops::gpu
