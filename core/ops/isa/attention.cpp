// Attention of one tile of query rows over the pages of a sequence.

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

// Pages, or vectors of a head, that R rows work on side by side: few rows alone would wait for the
// sums of their own chains.
constexpr int beside(int rows) {
  const int fit = QED_ISA_SUMS / rows;
  return fit >= 4 ? 4 : fit >= 2 ? 2 : 1;
}

// Scores of R rows with the keys of P pages: each a chain over the head's dimensions.
template <int R, int P>
void score_pages(const AttentionTile& t, std::int64_t row, std::int64_t first, std::int64_t width) {
  const float* keys[P];
  for (int p = 0; p < P; ++p) keys[p] = page(t, first + p);
  Vec acc[R][P] = {};
  for (std::int64_t d = 0; d < t.head_dim; ++d) {
    Vec key[P];
    for (int p = 0; p < P; ++p) key[p] = load(keys[p] + d * kLanes);
    for (int r = 0; r < R; ++r) {
      const Vec x = splat(t.q[row + r][d]);
      for (int p = 0; p < P; ++p) acc[r][p] = x * key[p] + acc[r][p];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) {
      store(scores_of(t, row + r, width) + (first + p) * kLanes, acc[r][p]);
    }
  }
}

template <int R>
void score(const AttentionTile& t, std::int64_t row, std::int64_t pages, std::int64_t width) {
  constexpr int P = beside(R);
  std::int64_t p = 0;
  for (; p + P <= pages; p += P) score_pages<R, P>(t, row, p, width);
  for (; p < pages; ++p) score_pages<R, 1>(t, row, p, width);
}

// Turns the scores of a row into exp(score - max), zero past its keys; returns 1 / their sum.
float normalise(const AttentionTile& t, std::int64_t row, std::int64_t width) {
  float* x = scores_of(t, row, width);
  const std::int64_t n = t.num_keys[row];
  const RowSoftmax s = softmax_stats(x, n, t.scale);
  std::int64_t j = 0;
  for (; j < n; j += kLanes) {
    store(x + j, choose(n - j, exp(load(x + j) * t.scale - s.max), Vec{}));
  }
  for (; j < width; j += kLanes) store(x + j, Vec{});
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
  constexpr int Q = beside(R);
  std::int64_t d = 0;
  for (; d + Q * kLanes <= t.head_dim; d += Q * kLanes) {
    mix<R, Q>(t, row, d, inverse, num_keys, width);
  }
  if constexpr (Q == 4) {
    if (d + 2 * kLanes <= t.head_dim) {
      mix<R, 2>(t, row, d, inverse, num_keys, width);
      d += 2 * kLanes;
    }
  }
  for (; d < t.head_dim; d += kLanes) mix<R, 1>(t, row, d, inverse, num_keys, width);
}

// The last rows, at most R.
template <int R>
void rest(const AttentionTile& t, std::int64_t row) {
  if (row + R == t.rows) return rows<R>(t, row);
  if constexpr (R > 1) rest<R - 1>(t, row);
}

}  // namespace

void attention(const AttentionTile& t) {
  std::int64_t row = 0;
  for (; row + kRows < t.rows; row += kRows) rows<kRows>(t, row);
  rest<kRows>(t, row);
}

}  // namespace qed::ops::QED_ISA
