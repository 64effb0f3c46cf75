// Compiled three times, with QED_ISA_TABLE, QED_ISA_NAME, QED_ISA_ROWS and QED_ISA_PANELS from the
// build. Includes nothing that other files instantiate too: a template compiled here with AVX-512
// could otherwise be the copy that the linker keeps for everyone.

#include "core/ops/cpu_kernels.h"

namespace qed::ops {
extern const CpuKernels QED_ISA_TABLE;

namespace {

typedef float Vec __attribute__((vector_size(64), aligned(4), may_alias));
typedef std::int32_t IVec __attribute__((vector_size(64)));

inline Vec load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
inline void store(float* p, Vec v) { *reinterpret_cast<Vec*>(p) = v; }
inline Vec splat(float x) { return Vec{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }

// The first n < 16 lanes; the others are 0.
inline Vec load_part(const float* p, std::int64_t n) {
  Vec v{};
  for (std::int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
inline void store_part(float* p, Vec v, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) p[i] = v[i];
}

// Lane i of the result is lane i + n of v, around the end.
template <int n>
inline Vec upper(Vec v) {
  return __builtin_shufflevector(v, v, n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8,
                                 n + 9, n + 10, n + 11, n + 12, n + 13, n + 14, n + 15);
}

// Lanes in a fixed tree: (0+8, 1+9, ...), then by 4, 2, 1.
inline float sum_lanes(Vec v) {
  v = v + upper<8>(v);
  v = v + upper<4>(v);
  v = v + upper<2>(v);
  v = v + upper<1>(v);
  return v[0];
}
inline float max_lanes(Vec v) {
  const auto larger = [](Vec a, Vec b) { return a > b ? a : b; };
  v = larger(v, upper<8>(v));
  v = larger(v, upper<4>(v));
  v = larger(v, upper<2>(v));
  return larger(v, upper<1>(v))[0];
}

// exp(x) for x <= 0, and for any x above -87; Cephes' polynomial, error below 2 units in the last
// place.
inline Vec exp(Vec x) {
  x = x < splat(-87.0f) ? splat(-87.0f) : x;
  x = x > splat(88.0f) ? splat(88.0f) : x;
  const Vec shifted = x * 1.44269504088896341f + 12582912.0f;  // 1.5 * 2^23: rounds to an integer
  const Vec n = shifted - 12582912.0f;
  Vec r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  Vec p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  IVec bits;
  __builtin_memcpy(&bits, &shifted, 64);
  bits = (bits + 127) << 23;  // the low bits of `shifted` are n
  Vec scale;
  __builtin_memcpy(&scale, &bits, 64);
  return p * scale;
}

// ---- gemm
// -----------------------------------------------------------------------------------------

// R rows times Q panels, accumulators in registers.
template <int R, int Q>
inline void gemm_block(const Gemm& g, std::int64_t row, std::int64_t panel) {
  const auto at = [&](int r, int q) { return g.c + (row + r) * g.c_row + (panel + q) * g.c_panel; };
  const auto lanes = [&](int q) { return g.cols - (panel + q) * kLanes; };
  Vec acc[R][Q];
  for (int q = 0; q < Q; ++q) {
    const Vec start = g.bias != nullptr ? load(g.bias + (panel + q) * kLanes) : Vec{};
    for (int r = 0; r < R; ++r) {
      if (!g.accumulate) {
        acc[r][q] = start;
      } else {
        acc[r][q] = lanes(q) >= kLanes ? load(at(r, q)) : load_part(at(r, q), lanes(q));
      }
    }
  }
  const float* a = g.a + row * g.a_row;
  const float* b = g.b + panel * g.b_panel;
  for (std::int64_t k = 0; k < g.depth; ++k) {
    Vec column[Q];
    for (int q = 0; q < Q; ++q) column[q] = load(b + q * g.b_panel + k * g.b_depth);
    for (int r = 0; r < R; ++r) {
      const Vec x = splat(a[r * g.a_row + k * g.a_col]);
      for (int q = 0; q < Q; ++q) acc[r][q] = x * column[q] + acc[r][q];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int q = 0; q < Q; ++q) {
      lanes(q) >= kLanes ? store(at(r, q), acc[r][q]) : store_part(at(r, q), acc[r][q], lanes(q));
    }
  }
}

template <int Q>
inline void gemm_rows(const Gemm& g, std::int64_t panel) {
  std::int64_t row = 0;
  for (; row + QED_ISA_ROWS <= g.rows; row += QED_ISA_ROWS)
    gemm_block<QED_ISA_ROWS, Q>(g, row, panel);
  for (; row + 2 <= g.rows; row += 2) gemm_block<2, Q>(g, row, panel);
  if (row < g.rows) gemm_block<1, Q>(g, row, panel);
}

void gemm(const Gemm& g) {
  const std::int64_t panels = num_panels(g.cols);
  std::int64_t panel = 0;
  for (; panel + QED_ISA_PANELS <= panels; panel += QED_ISA_PANELS)
    gemm_rows<QED_ISA_PANELS>(g, panel);
  for (; panel < panels; ++panel) gemm_rows<1>(g, panel);
}

// ---- rows
// -----------------------------------------------------------------------------------------

// Calls f(i, n) for i = 0, 16, ... with n = 16, or what is left.
template <class F>
inline void blocks(std::int64_t dim, F&& f) {
  std::int64_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) f(i, load, store);
  const std::int64_t left = dim - i;
  if (left > 0) {
    f(
        i, [left](const float* p) { return load_part(p, left); },
        [left](float* p, Vec v) { store_part(p, v, left); });
  }
}

inline float dot(const float* a, const float* b, std::int64_t n) {
  Vec acc{};
  blocks(n, [&](std::int64_t i, auto get, auto) { acc = get(a + i) * get(b + i) + acc; });
  return sum_lanes(acc);
}

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
                       float* dx, std::int64_t rows, std::int64_t dim) {
  for (std::int64_t r = 0; r < rows; ++r, x += dim, dy += dim, dx += dim) {
    Vec acc{};
    blocks(dim, [&](std::int64_t i, auto get, auto) {
      acc = get(dy + i) * get(weight + i) * get(x + i) + acc;
    });
    const float s = rstd[r];
    const float mean = sum_lanes(acc) * s * s / static_cast<float>(dim);
    blocks(dim, [&](std::int64_t i, auto get, auto put) {
      put(dx + i, (get(dy + i) * get(weight + i) - get(x + i) * mean) * s);
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

// ---- attention
// --------------------------------------------------------------------------------------

inline RowSoftmax softmax_stats(const float* x, std::int64_t n, float scale) {
  Vec high = splat(-__builtin_inff());
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Vec v = load(x + i) * scale;
    high = v > high ? v : high;
  }
  float max = max_lanes(high);
  for (std::int64_t j = i; j < n; ++j) max = x[j] * scale > max ? x[j] * scale : max;
  Vec sum{};
  for (i = 0; i + kLanes <= n; i += kLanes) sum = sum + exp(load(x + i) * scale - max);
  if (i < n) {
    const Vec part = exp(load_part(x + i, n - i) * scale - max);
    for (std::int64_t j = i; j < n; ++j) sum[j - i] += part[j - i];
  }
  return {max, sum_lanes(sum)};
}

void attention(const AttentionShape& shape, const AttentionRow& row, const float* q, float* out,
               float* lse, float* scratch) {
  const std::int64_t dim = shape.head_dim, group = shape.heads / shape.kv_heads, n = row.num_keys;
  for (std::int64_t h = 0; h < shape.heads; ++h, q += dim, out += dim) {
    const float* k = row.k + h / group * dim;
    const float* v = row.v + h / group * dim;
    for (std::int64_t j = 0; j < n; ++j) scratch[j] = dot(q, k + j * shape.kv_stride, dim);
    const RowSoftmax s = softmax_stats(scratch, n, shape.scale);
    for (std::int64_t j = n; j % kLanes != 0; ++j) scratch[j] = 0;
    for (std::int64_t j = 0; j < n; j += kLanes) {
      store(scratch + j, exp(load(scratch + j) * shape.scale - s.max));
    }
    const float inverse = 1.0f / s.sum;
    blocks(dim, [&](std::int64_t i, auto get, auto put) {
      Vec acc{};
      for (std::int64_t j = 0; j < n; ++j)
        acc = get(v + j * shape.kv_stride + i) * scratch[j] + acc;
      put(out + i, acc * inverse);
    });
    if (lse != nullptr) lse[h] = s.max + __builtin_logf(s.sum);
  }
}

void attention_backward(const AttentionShape& shape, std::int64_t kv_head, std::int64_t length,
                        const float* q, std::int64_t q_stride, const float* k, const float* v,
                        const float* out, const float* dout, std::int64_t out_stride,
                        const float* lse, float* dq, std::int64_t dq_stride, float* dk, float* dv,
                        std::int64_t dkv_stride) {
  const std::int64_t dim = shape.head_dim, group = shape.heads / shape.kv_heads;
  const std::int64_t kv_offset = kv_head * dim;
  for (std::int64_t t = 0; t < length; ++t) {
    for (std::int64_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
      const float* query = q + t * q_stride + h * dim;
      const float* d = dout + t * out_stride + h * dim;
      float* dquery = dq + t * dq_stride + h * dim;
      const float delta = dot(d, out + t * out_stride + h * dim, dim);
      const float row_lse = lse[t * shape.heads + h];
      blocks(dim, [&](std::int64_t i, auto, auto put) { put(dquery + i, Vec{}); });
      for (std::int64_t j0 = 0; j0 <= t; j0 += kLanes) {
        const std::int64_t count = t + 1 - j0 < kLanes ? t + 1 - j0 : kLanes;
        Vec score{}, dprob{};
        for (std::int64_t j = 0; j < count; ++j) {
          score[j] = dot(query, k + (j0 + j) * shape.kv_stride + kv_offset, dim);
          dprob[j] = dot(d, v + (j0 + j) * shape.kv_stride + kv_offset, dim);
        }
        const Vec prob = exp(score * shape.scale - row_lse);
        const Vec dscore = prob * (dprob - delta) * shape.scale;
        for (std::int64_t j = 0; j < count; ++j) {
          const float p = prob[j], ds = dscore[j];
          const float* key = k + (j0 + j) * shape.kv_stride + kv_offset;
          float* dkey = dk + (j0 + j) * dkv_stride + kv_offset;
          float* dvalue = dv + (j0 + j) * dkv_stride + kv_offset;
          blocks(dim, [&](std::int64_t i, auto get, auto put) {
            put(dquery + i, get(key + i) * ds + get(dquery + i));
            put(dkey + i, get(query + i) * ds + get(dkey + i));
            put(dvalue + i, get(d + i) * p + get(dvalue + i));
          });
        }
      }
    }
  }
}

// ---- distributions
// ------------------------------------------------------------------------------------

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
    const std::int64_t count = n - i;
    Vec d = get(logits + i) * inv_temperature - s.max;
    Vec term = exp(d) * d;
    for (std::int64_t j = count; j < kLanes; ++j) term[j] = 0;
    acc = acc + term;
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

}  // namespace

const CpuKernels QED_ISA_TABLE = {
    QED_ISA_NAME,     &gemm,      &rms_norm,  &rms_norm_backward,  &swiglu,
    &swiglu_backward, &rope,      &attention, &attention_backward, &softmax_stats,
    &row_entropy,     &row_probs, &adamw};

}  // namespace qed::ops
