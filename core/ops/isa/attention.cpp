// Attention of one tile of query rows over the pages of a sequence, and its backward.

#include "core/ops/isa/isa.h"
#include "core/ops/isa/vec.h"

namespace qed::ops::QED_ISA {

namespace {

constexpr int kRows = QED_ISA_SUMS < 8 ? QED_ISA_SUMS : 8;  // query rows side by side

const float* page(const AttentionTile& t, std::int64_t p) {
  return t.kv + t.pages[p] * t.page_stride;
}

float* scores_of(const AttentionTile& t, std::int64_t row, std::int64_t width) {
  return t.scratch + row * width;
}

// Scores of R rows with the keys of all pages: each a chain over the head's dimensions.
template <int R>
void score(const AttentionTile& t, std::int64_t row, std::int64_t pages, std::int64_t width) {
  for (std::int64_t p = 0; p < pages; ++p) {
    const float* keys = page(t, p);
    Vec acc[R] = {};
    for (std::int64_t d = 0; d < t.head_dim; ++d) {
      const Vec key = load(keys + d * kLanes);
      for (int r = 0; r < R; ++r) acc[r] = splat(t.q[row + r][d]) * key + acc[r];
    }
    for (int r = 0; r < R; ++r) store(scores_of(t, row + r, width) + p * kLanes, acc[r]);
  }
}

// Turns the scores of a row into exp(score - max), zero past its keys; returns 1 / their sum.
float normalise(const AttentionTile& t, std::int64_t row, std::int64_t width) {
  float* x = scores_of(t, row, width);
  const std::int64_t n = t.num_keys[row];
  const RowSoftmax s = softmax_stats(x, n, t.scale);
  for (std::int64_t j = 0; j < n; j += kLanes) {
    store(x + j, exp(load(x + j) * t.scale - s.max));
  }
  for (std::int64_t j = n; j < width; ++j) x[j] = 0;
  if (t.lse != nullptr) *t.lse[row] = s.max + __builtin_logf(s.sum);
  return 1.0f / s.sum;
}

// Adds up the values of all keys for R rows and Q vectors of the head: chains over the keys.
template <int R, int Q>
void mix(const AttentionTile& t, std::int64_t row, std::int64_t d, const float* inverse,
         std::int64_t num_keys, std::int64_t width) {
  const std::int64_t dim = num_panels(t.head_dim) * kLanes;
  Vec acc[R][Q] = {};
  for (std::int64_t j0 = 0; j0 < num_keys; j0 += kLanes) {
    const float* values = page(t, j0 / kLanes) + t.head_dim * kLanes + d;
    const std::int64_t count = num_keys - j0 < kLanes ? num_keys - j0 : kLanes;
    for (std::int64_t j = 0; j < count; ++j) {
      Vec value[Q];
      for (int q = 0; q < Q; ++q) value[q] = load(values + j * dim + q * kLanes);
      for (int r = 0; r < R; ++r) {
        const Vec weight = splat(scores_of(t, row + r, width)[j0 + j]);
        for (int q = 0; q < Q; ++q) acc[r][q] = weight * value[q] + acc[r][q];
      }
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int q = 0; q < Q; ++q) {
      const std::int64_t at = d + q * kLanes, left = t.head_dim - at;
      const Vec out = acc[r][q] * inverse[r];
      left >= kLanes ? store(t.out[row + r] + at, out) : store_part(t.out[row + r] + at, out, left);
    }
  }
}

template <int R>
void rows(const AttentionTile& t, std::int64_t row) {
  std::int64_t num_keys = 0;
  for (int r = 0; r < R; ++r) {
    if (t.num_keys[row + r] > num_keys) num_keys = t.num_keys[row + r];
  }
  const std::int64_t pages = num_panels(num_keys), width = pages * kLanes;
  score<R>(t, row, pages, width);
  float inverse[R];
  for (int r = 0; r < R; ++r) inverse[r] = normalise(t, row + r, width);
  constexpr int Q = kRows >= 8 ? 2 : 1;
  std::int64_t d = 0;
  for (; d + Q * kLanes <= t.head_dim; d += Q * kLanes) {
    mix<R, Q>(t, row, d, inverse, num_keys, width);
  }
  for (; d < t.head_dim; d += kLanes) mix<R, 1>(t, row, d, inverse, num_keys, width);
}

}  // namespace

void attention(const AttentionTile& t) {
  std::int64_t row = 0;
  for (; row + kRows <= t.rows; row += kRows) rows<kRows>(t, row);
  if constexpr (kRows >= 8) {
    if (row + 4 <= t.rows) rows<4>(t, row), row += 4;
  }
  if constexpr (kRows >= 4) {
    if (row + 2 <= t.rows) rows<2>(t, row), row += 2;
  }
  for (; row < t.rows; ++row) rows<1>(t, row);
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

}  // namespace qed::ops::QED_ISA
