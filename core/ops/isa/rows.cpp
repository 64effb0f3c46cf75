// Kernels that work on one row at a time: norms, activations, rotation, distributions, AdamW.

#include "core/ops/isa/isa.h"
#include "core/ops/isa/vec.h"

namespace qed::ops::QED_ISA {

void rms_norm(const float* x, const float* weight, float* y, float* rstd, std::int64_t rows,
              std::int64_t dim, float eps) {
  for (std::int64_t r = 0; r < rows; ++r, x += dim, y += dim) {
    const float scale = 1.0f / __builtin_sqrtf(dot(x, x, dim) / static_cast<float>(dim) + eps);
    rstd[r] = scale;
    blocks(dim, [&](std::int64_t i, auto get, auto put) {
      put(y + i, get(x + i) * scale * get(weight + i));
    });
  }
}

void rms_norm_backward(const float* dy, const float* x, const float* weight, const float* rstd,
                       const float* dx_before, float* dx, float* dweight, std::int64_t rows,
                       std::int64_t dim) {
  for (std::int64_t r = 0; r < rows; ++r, x += dim, dy += dim, dx += dim) {
    const float s = rstd[r];
    Vec acc{};
    blocks(dim, [&](std::int64_t i, auto get, auto put) {
      const Vec product = get(dy + i) * get(x + i);
      acc = product * get(weight + i) + acc;
      put(dweight + i, product * s + get(dweight + i));
    });
    const float mean = sum_lanes(acc) * s * s / static_cast<float>(dim);
    blocks(dim, [&](std::int64_t i, auto get, auto put) {
      const Vec own = (get(dy + i) * get(weight + i) - get(x + i) * mean) * s;
      put(dx + i, dx_before == nullptr ? own : own + get(dx_before + r * dim + i));
    });
  }
}

inline Vec sigmoid(Vec x) { return 1.0f / (1.0f + exp(-x)); }

void swiglu(const float* in, float* out, std::int64_t rows, std::int64_t dim) {
  for (std::int64_t r = 0; r < rows; ++r, in += 2 * dim, out += dim) {
    blocks(dim, [&](std::int64_t i, auto get, auto put) {
      const Vec gate = get(in + i);
      put(out + i, gate * sigmoid(gate) * get(in + dim + i));
    });
  }
}

void swiglu_backward(const float* dout, const float* in, float* din, std::int64_t rows,
                     std::int64_t dim) {
  for (std::int64_t r = 0; r < rows; ++r, in += 2 * dim, din += 2 * dim, dout += dim) {
    blocks(dim, [&](std::int64_t i, auto get, auto put) {
      const Vec gate = get(in + i), up = get(in + dim + i), d = get(dout + i), s = sigmoid(gate);
      put(din + i, d * up * s * (1.0f + gate * (1.0f - s)));
      put(din + dim + i, d * gate * s);
    });
  }
}

void rope(float* x, std::int64_t stride, const std::int64_t* position, const float* cos,
          const float* sin, std::int64_t rows, std::int64_t heads, std::int64_t dim,
          float direction) {
  const std::int64_t half = dim / 2;
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* c = cos + position[r] * half;
    const float* s = sin + position[r] * half;
    for (std::int64_t h = 0; h < heads; ++h) {
      float* low = x + r * stride + h * dim;
      float* high = low + half;
      blocks(half, [&](std::int64_t i, auto get, auto put) {
        const Vec a = get(low + i), b = get(high + i), co = get(c + i), si = get(s + i) * direction;
        put(low + i, a * co - b * si);
        put(high + i, b * co + a * si);
      });
    }
  }
}

RowSoftmax row_softmax(const float* logits, std::int64_t n, float inv_temperature) {
  return softmax_stats(logits, n, inv_temperature);
}

void row_probs(const float* logits, std::int64_t n, float inv_temperature, RowSoftmax s,
               float* probs) {
  const float inverse = 1.0f / s.sum;
  blocks(n, [&](std::int64_t i, auto get, auto put) {
    put(probs + i, exp(get(logits + i) * inv_temperature - s.max) * inverse);
  });
}

float row_entropy(const float* logits, std::int64_t n, float inv_temperature, RowSoftmax s) {
  Vec acc{};  // sum of e^d d, with d = scaled - max <= 0
  blocks(n, [&](std::int64_t i, auto get, auto) {
    const Vec d = get(logits + i) * inv_temperature - s.max;
    acc = acc + choose(n - i, exp(d) * d, Vec{});
  });
  return __builtin_logf(s.sum) - sum_lanes(acc) / s.sum;
}

void adamw(float* w, const float* grad, float* m, float* v, std::int64_t n, float lr, float beta1,
           float beta2, float eps, float weight_decay, float bias1, float bias2, float grad_scale) {
  const float decay = 1.0f - lr * weight_decay, step = lr / bias1;
  const float root = __builtin_sqrtf(bias2);
  for (std::int64_t i = 0; i < n; ++i) {
    const float g = grad[i] * grad_scale;
    m[i] = m[i] + (g - m[i]) * (1.0f - beta1);
    v[i] = v[i] * beta2 + g * g * (1.0f - beta2);
    w[i] = w[i] * decay - step * m[i] / (__builtin_sqrtf(v[i]) / root + eps);
  }
}

void round_bfloat16(const float* from, std::uint16_t* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    std::uint32_t bits;
    __builtin_memcpy(&bits, from + i, sizeof bits);
    const std::uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;  // rounding could make it infinite
    to[i] = static_cast<std::uint16_t>((is_nan ? bits | 0x400000u : rounded) >> 16);
  }
}

}  // namespace qed::ops::QED_ISA
