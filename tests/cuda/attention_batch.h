#pragma once

// Packed batches for tests of attention's backward: by the autograd of the CPU's op, and by the
// bodies of the GPU's kernels, run on this CPU.

#include "core/cuda/kernels/attention_backward.h"
#include "core/ops/attention.h"
#include "tests/cuda/host_block.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace qed::cuda {

using Numbers = std::vector<std::int64_t>;

// A packed batch. `prefix` [length], -1 for none.
struct Batch {
  ops::Heads heads;
  Numbers length, prefix;
  std::vector<float> qkv, dout;

  Numbers offset() const {
    Numbers out = {0};
    for (const std::int64_t n : length) out.push_back(out.back() + n);
    return out;
  }
  std::int64_t rows() const { return offset().back(); }
  std::size_t width() const { return static_cast<std::size_t>(heads.qkv_width()); }
  std::size_t out_width() const { return static_cast<std::size_t>(heads.heads * heads.dim); }
};

inline Batch random_batch(const ops::Heads& heads, const Numbers& length, const Numbers& prefix,
                          unsigned seed) {
  Batch b{heads, length, prefix, {}, {}};
  const auto rows = static_cast<std::size_t>(b.rows());
  b.qkv = random_floats(rows * b.width(), seed);
  b.dout = random_floats(rows * b.out_width(), seed + 1);
  return b;
}

inline Batch rounded(Batch b) {
  b.qkv = widened(cuda::rounded(b.qkv));
  b.dout = widened(cuda::rounded(b.dout));
  return b;
}

inline at::Tensor to_tensor(const std::vector<float>& x, std::int64_t rows) {
  at::Tensor t = at::empty({rows, std::ssize(x) / rows});
  std::ranges::copy(x, t.data_ptr<float>());
  return t;
}

inline std::vector<float> to_vector(const at::Tensor& t) {
  const float* from = t.const_data_ptr<float>();
  return {from, from + t.numel()};
}

struct Gradients {
  std::vector<float> out, dqkv;
};

inline Gradients run_on_cpu(const Batch& b) {
  const Numbers offset = b.offset();
  const at::Tensor qkv = to_tensor(b.qkv, b.rows()).set_requires_grad(true);
  const at::Tensor out = ops::attention(qkv, b.heads, offset, b.prefix);
  out.backward(to_tensor(b.dout, b.rows()));
  return {to_vector(out.detach()), to_vector(qkv.grad())};
}

// What the forward leaves for the backward: [rows, heads].
inline std::vector<float> lse_of(const Batch& b, float scale) {
  const Numbers offset = b.offset();
  const auto dim = static_cast<std::size_t>(b.heads.dim);
  const std::int64_t group = b.heads.heads / b.heads.kv_heads;
  std::vector<float> lse;
  for (std::size_t s = 0; s < b.length.size(); ++s) {
    Numbers seen;
    if (b.prefix[s] >= 0) {
      const auto p = static_cast<std::size_t>(b.prefix[s]);
      for (std::int64_t row = offset[p]; row < offset[p + 1]; ++row) seen.push_back(row);
    }
    for (std::int64_t row = offset[s]; row < offset[s + 1]; ++row) {
      seen.push_back(row);
      for (std::int64_t head = 0; head < b.heads.heads; ++head) {
        const std::int64_t at = (b.heads.heads + head / group) * b.heads.dim;
        const float* const q = b.qkv.data() + row * b.heads.qkv_width() + head * b.heads.dim;
        double sum = 0;
        for (const std::int64_t key : seen) {
          const float* const k = b.qkv.data() + key * b.heads.qkv_width() + at;
          float score = 0;
          for (std::size_t d = 0; d < dim; ++d) score += q[d] * k[d];
          sum += std::exp(static_cast<double>(score) * scale);
        }
        lse.push_back(static_cast<float>(std::log(sum)));
      }
    }
  }
  return lse;
}

// The batch's int32 arrays.
struct DeviceLayout {
  std::vector<std::int32_t> sequence, offset, prefix, child_first, child;

  explicit DeviceLayout(const Batch& b) {
    const Numbers from = b.offset();
    offset.assign(from.begin(), from.end());
    prefix.assign(b.prefix.begin(), b.prefix.end());
    for (std::size_t s = 0; s < b.length.size(); ++s) {
      sequence.insert(sequence.end(), static_cast<std::size_t>(b.length[s]),
                      static_cast<std::int32_t>(s));
      child_first.push_back(static_cast<std::int32_t>(child.size()));
      for (std::size_t c = 0; c < b.length.size(); ++c) {
        if (b.prefix[c] == static_cast<std::int64_t>(s)) {
          child.push_back(static_cast<std::int32_t>(c));
        }
      }
    }
    child_first.push_back(static_cast<std::int32_t>(child.size()));
  }
};

template <class T>
std::vector<T> as(const std::vector<float>& x) {
  std::vector<T> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) put(out[i], x[i]);
  return out;
}

// By the bodies of the two passes; `out` as the CPU's forward gave it.
template <class T, class Queries, class Keys>
std::vector<float> run_on_gpu(const Batch& b, const std::vector<float>& out_of_cpu) {
  const float scale = 1 / std::sqrt(static_cast<float>(b.heads.dim));
  const DeviceLayout layout(b);
  const auto qkv = as<T>(b.qkv), out = as<T>(out_of_cpu), dout = as<T>(b.dout);
  const std::vector<float> lse = lse_of(b, scale);
  std::vector<float> delta(lse.size(), NAN);
  std::vector<T> dqkv = as<T>(std::vector<float>(qkv.size(), NAN));
  const AttentionBackwardArgs args{.rows = b.rows(),
                                   .sequences = std::ssize(b.length),
                                   .heads = b.heads.heads,
                                   .kv_heads = b.heads.kv_heads,
                                   .dim = b.heads.dim,
                                   .dtype = 0,
                                   .scale = scale,
                                   .qkv = qkv.data(),
                                   .out = out.data(),
                                   .dout = dout.data(),
                                   .lse = lse.data(),
                                   .sequence = layout.sequence.data(),
                                   .offset = layout.offset.data(),
                                   .prefix = layout.prefix.data(),
                                   .child_first = layout.child_first.data(),
                                   .child = layout.child.data(),
                                   .delta = delta.data(),
                                   .dqkv = dqkv.data()};
  run_elements(DeltaBody<T>{args});
  run_blocks(Queries{args}, Queries{args}.num_blocks());
  run_blocks(Keys{args}, Keys{args}.num_blocks());
  std::vector<float> result;
  for (const T& x : dqkv) result.push_back(to_float(x));
  return result;
}

}  // namespace qed::cuda
