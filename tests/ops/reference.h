#pragma once

// Every op once more, as a plain LibTorch composition in whatever type its inputs have: what the
// fast kernels are held to. And what the tests of the ops share: random inputs, comparison, panels.
//
// Weights are plain here: w [N, K], bias [N].

#ifndef AT_PER_OPERATOR_HEADERS
#define AT_PER_OPERATOR_HEADERS  // else TensorOperators.h brings every op there is
#endif
#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tril.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "core/ops/attention.h"
#include "core/ops/cpu_kernels.h"
#include "core/ops/rope.h"
#include "core/ops/token_logp.h"
#include "qed/philox.h"

namespace qed::reference {

inline at::Tensor embedding(const at::Tensor& id, const at::Tensor& w) {
  return at::index_select(w, 0, id);
}

inline at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias = {}) {
  const at::Tensor y = at::matmul(x, w.t());
  return bias.defined() ? y + bias : y;
}

inline at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  return x * at::rsqrt(at::mean(x * x, -1, true) + eps) * weight;
}

// rms_norm of each of the first heads, by q_weight, and of the kv_heads after them, by k_weight.
inline at::Tensor head_norm(const at::Tensor& qkv, const at::Tensor& q_weight,
                            const at::Tensor& k_weight, std::int64_t heads, std::int64_t kv_heads,
                            double eps) {
  const std::int64_t dim = q_weight.numel(), rows = qkv.size(0), normed = (heads + kv_heads) * dim;
  const at::Tensor q = qkv.narrow(1, 0, heads * dim).reshape({rows, heads, dim});
  const at::Tensor k = qkv.narrow(1, heads * dim, kv_heads * dim).reshape({rows, kv_heads, dim});
  return at::cat(
      {rms_norm(q, q_weight, eps).reshape({rows, -1}),
       rms_norm(k, k_weight, eps).reshape({rows, -1}), qkv.narrow(1, normed, qkv.size(1) - normed)},
      1);
}

inline at::Tensor swiglu(const at::Tensor& gate_up) {
  const std::int64_t f = gate_up.size(1) / 2;
  const at::Tensor gate = gate_up.narrow(1, 0, f);
  return gate * at::sigmoid(gate) * gate_up.narrow(1, f, f);
}

// Rotates the first `heads` heads of each row; cos and sin [T, dim / 2] belong to the rows.
inline at::Tensor rope(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin,
                       std::int64_t heads) {
  const std::int64_t half = cos.size(1), rotated = heads * 2 * half;
  const at::Tensor head = x.narrow(1, 0, rotated).reshape({x.size(0), heads, 2 * half});
  const at::Tensor a = head.narrow(2, 0, half), b = head.narrow(2, half, half);
  const at::Tensor c = cos.unsqueeze(1), s = sin.unsqueeze(1);
  const at::Tensor out = at::cat({a * c - b * s, b * c + a * s}, 2).reshape({-1, rotated});
  return at::cat({out, x.narrow(1, rotated, x.size(1) - rotated)}, 1);
}

// softmax(q k^T / sqrt(dim) + causal mask) v, sequence by sequence and head by head.
inline at::Tensor attention(const at::Tensor& qkv, const ops::Heads& h,
                            const std::vector<std::int64_t>& offset) {
  std::vector<at::Tensor> out;
  for (std::size_t b = 0; b + 1 < offset.size(); ++b) {
    const std::int64_t length = offset[b + 1] - offset[b];
    const at::Tensor x = qkv.narrow(0, offset[b], length);
    const at::Tensor visible = at::tril(at::ones({length, length}, qkv.options())).to(at::kBool);
    std::vector<at::Tensor> heads;
    for (std::int64_t i = 0; i < h.heads; ++i) {
      const std::int64_t kv = i / (h.heads / h.kv_heads);
      const at::Tensor q = x.narrow(1, i * h.dim, h.dim);
      const at::Tensor k = x.narrow(1, (h.heads + kv) * h.dim, h.dim);
      const at::Tensor v = x.narrow(1, (h.heads + h.kv_heads + kv) * h.dim, h.dim);
      const at::Tensor score = at::matmul(q, k.t()) / std::sqrt(static_cast<double>(h.dim));
      const double hidden = -std::numeric_limits<double>::infinity();
      const at::Tensor masked = score.masked_fill(visible.logical_not(), hidden);
      heads.push_back(at::matmul(at::softmax(masked, -1), v));
    }
    out.push_back(at::cat(heads, 1));
  }
  return at::cat(out, 0);
}

// Logits outside the support become -inf; `entropy` is that of the whole row.
struct TokenLogp {
  at::Tensor logp, entropy;
};
inline TokenLogp token_logp(const at::Tensor& h, const at::Tensor& w, const at::Tensor& target,
                            const at::Tensor& inv_temperature, const ops::Support& support) {
  const at::Tensor z = at::matmul(h, w.t()) * inv_temperature.to(h.scalar_type()).unsqueeze(1);
  at::Tensor cut = at::full(z.sizes(), support.offset.empty() ? 1.0 : 0.0, at::kFloat);
  for (std::size_t r = 0; r + 1 < support.offset.size(); ++r) {
    const auto begin = support.offset[r], end = support.offset[r + 1];
    const auto row = static_cast<std::int64_t>(r);
    if (begin == end) cut.select(0, row).fill_(1);
    for (auto i = begin; i < end; ++i) cut.select(0, row).select(0, support.ids[i]).fill_(1);
  }
  const double hidden = -std::numeric_limits<double>::infinity();
  const at::Tensor logp = at::log_softmax(z.masked_fill(cut == 0, hidden), -1);
  const at::Tensor all = at::log_softmax(z, -1);
  return {at::gather(logp, 1, target.unsqueeze(1)).squeeze(1), -at::sum(at::exp(all) * all, -1)};
}

}  // namespace qed::reference

namespace qed {

// Numbers in [-scale, scale), from a seed.
inline at::Tensor random_tensor(std::vector<std::int64_t> shape, std::uint64_t seed,
                                double scale = 1) {
  at::Tensor t = at::empty(shape, at::kFloat);
  Rng rng(seed);
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    t.data_ptr<float>()[i] = static_cast<float>(scale * (2 * rng.real() - 1));
  }
  return t;
}

// Integers in [low, high].
inline at::Tensor random_ids(std::int64_t n, std::int64_t low, std::int64_t high,
                             std::uint64_t seed) {
  at::Tensor t = at::empty({n}, at::kLong);
  Rng rng(seed);
  for (std::int64_t i = 0; i < n; ++i) t.data_ptr<std::int64_t>()[i] = rng.integer(low, high);
  return t;
}

// w [N, K] as panels [ceil(N/16), K, 16], and a bias padded to whole panels; both differentiable.
inline at::Tensor panels(const at::Tensor& w) {
  const std::int64_t n = ops::num_panels(w.size(0));
  return at::constant_pad_nd(w, {0, 0, 0, n * ops::kLanes - w.size(0)})
      .view({n, ops::kLanes, w.size(1)})
      .transpose(1, 2)
      .contiguous();
}
inline at::Tensor padded(const at::Tensor& bias) {
  return at::constant_pad_nd(bias, {0, ops::num_panels(bias.size(0)) * ops::kLanes - bias.size(0)});
}

inline bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.contiguous(), y = b.contiguous();
  return x.sizes() == y.sizes() && x.scalar_type() == y.scalar_type() &&
         std::memcmp(x.const_data_ptr(), y.const_data_ptr(), x.nbytes()) == 0;
}

// True when |actual - expected| <= tolerance * max |expected| everywhere; else names the worst
// place.
inline testing::AssertionResult is_close(const at::Tensor& actual, const at::Tensor& expected,
                                         double tolerance) {
  if (actual.sizes() != expected.sizes()) {
    return testing::AssertionFailure() << actual.sizes() << " is not " << expected.sizes();
  }
  const at::Tensor a = actual.detach().to(at::kDouble).contiguous();
  const at::Tensor e = expected.detach().to(at::kDouble).contiguous();
  const double *x = a.const_data_ptr<double>(), *y = e.const_data_ptr<double>();
  double largest = 0, worst = -1;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    largest = std::max(largest, std::abs(y[i]));
    const double error = std::isnan(x[i]) ? INFINITY : std::abs(x[i] - y[i]);
    if (error > worst) worst = error, at = i;
  }
  if (worst <= tolerance * largest) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "element " << at << " of shape " << a.sizes() << " is " << x[at] << ", expected "
         << y[at] << ": off by " << worst << ", allowed is " << tolerance << " * " << largest;
}

}  // namespace qed
