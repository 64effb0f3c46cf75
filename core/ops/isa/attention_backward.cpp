// The backward of attention for the positions of one sequence and one kv head. With S = scale Q
// K^T, P = exp(S - lse), D = rowsum(dO * O): dV = P^T dO, dS = P * (dO V^T - D), dQ = scale dS K,
// dK = scale dS^T Q (Dao et al., "FlashAttention" (2022), appendix B.2). The products are gemms
// over a few positions at a time.

#include "core/ops/isa/isa.h"
#include "core/ops/isa/vec.h"

namespace qed::ops::QED_ISA {

namespace {

constexpr std::int64_t round_up(std::int64_t n) { return num_panels(n) * kLanes; }

// The parts of the scratch. n: keys, rounded up; dim: of a head, rounded up; rows: of a block.
struct Parts {
  float *key_panels, *value_panels;  // [n / 16][dim][16]
  float *q, *dout, *dq;              // [rows][dim]
  float *prob, *dscore;              // [rows][n]
  float* delta;                      // [rows]
  float* packed;

  Parts(const AttentionBackward& b, std::int64_t n, std::int64_t dim) {
    const std::int64_t rows = kBackwardRows * b.group;
    float* at = b.scratch;
    const auto take = [&](std::int64_t floats) {
      float* part = at;
      at += floats;
      return part;
    };
    key_panels = take(n * dim), value_panels = take(n * dim);
    q = take(rows * dim), dout = take(rows * dim), dq = take(rows * dim);
    prob = take(rows * n), dscore = take(rows * n);
    delta = take(rows);
    packed = at;
  }
};

// [n][dim] to panels [n / 16][dim][16].
void to_panels(const float* from, std::int64_t n, std::int64_t dim, float* panels) {
  for (std::int64_t i = 0; i < n; i += kLanes) {
    for (std::int64_t d = 0; d < dim; d += kLanes) {
      turn(from + i * dim + d, dim, panels + i * dim + d * kLanes, kLanes);
    }
  }
}

// One head's row to a row of whole vectors.
void copy_row(const float* from, std::int64_t dim, float* to) {
  blocks(dim, [&](std::int64_t i, auto get, auto) { store(to + i, get(from + i)); });
}

// Rows of the block, in the order (position, head).
void gather(const AttentionBackward& b, std::int64_t first, std::int64_t rows, std::int64_t dim,
            const Parts& s) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t t = first + r / b.group, at = r % b.group * b.head_dim;
    const float* dout = b.dout + t * b.out_stride + at;
    copy_row(b.q + t * b.q_stride + at, b.head_dim, s.q + r * dim);
    copy_row(dout, b.head_dim, s.dout + r * dim);
    s.delta[r] = dot(dout, b.out + t * b.out_stride + at, b.head_dim);
  }
}

// Scores become probabilities, and the gradient of probabilities that of scores; both are 0 for
// keys that a row does not see.
void differentiate(const AttentionBackward& b, std::int64_t first, std::int64_t rows,
                   std::int64_t width, const Parts& s) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t t = first + r / b.group, num_keys = b.num_keys - b.rows + t + 1;
    const float lse = b.lse[t * b.lse_stride + r % b.group];
    float *prob = s.prob + r * width, *dscore = s.dscore + r * width;
    for (std::int64_t j = 0; j < width; j += kLanes) {
      const Vec p = exp(load(prob + j) * b.scale - lse);
      const Vec d = p * (load(dscore + j) - s.delta[r]) * b.scale;
      store(prob + j, choose(num_keys - j, p, Vec{}));
      store(dscore + j, choose(num_keys - j, d, Vec{}));
    }
  }
}

// C [rows, cols] (+)= A [rows, depth] B, with C and B [depth][cols] row by row or in panels.
struct Product {
  const float* a;
  std::int64_t a_row, a_col, rows, depth;
  const float* b;
  std::int64_t b_panel, b_depth, cols;
  float* c;
  bool accumulate = false;
};

void multiply(const Product& p, float* packed) {
  const bool is_in_place = p.a_row == 1 && p.rows % QED_ISA_ROWS == 0;
  if (!is_in_place) pack(p.a, p.a_row, p.a_col, p.rows, p.depth, packed);
  gemm({.rows = p.rows,
        .cols = p.cols,
        .depth = p.depth,
        .a = is_in_place ? p.a : packed,
        .a_step = is_in_place ? p.a_col : 0,
        .b = p.b,
        .b_bfloat16 = nullptr,
        .b_panel = p.b_panel,
        .b_depth = p.b_depth,
        .c = p.c,
        .c_row = p.cols,
        .c_panel = kLanes,
        .accumulate = p.accumulate});
}

void block(const AttentionBackward& b, std::int64_t first, std::int64_t count, std::int64_t dim,
           const Parts& s) {
  const std::int64_t rows = count * b.group, num_keys = b.num_keys - b.rows + first + count;
  const std::int64_t width = round_up(num_keys);
  gather(b, first, rows, dim, s);
  multiply({s.q, dim, 1, rows, b.head_dim, s.key_panels, kLanes * dim, kLanes, width, s.prob},
           s.packed);
  multiply(
      {s.dout, dim, 1, rows, b.head_dim, s.value_panels, kLanes * dim, kLanes, width, s.dscore},
      s.packed);
  differentiate(b, first, rows, width, s);
  multiply({s.dscore, width, 1, rows, num_keys, b.keys, kLanes, dim, dim, s.dq}, s.packed);
  // Whole vectors of keys: past the last one, both add 0.
  multiply({s.dscore, 1, width, width, rows, s.q, kLanes, dim, dim, b.dkeys, true}, s.packed);
  multiply({s.prob, 1, width, width, rows, s.dout, kLanes, dim, dim, b.dvalues, true}, s.packed);
  for (std::int64_t r = 0; r < rows; ++r) {
    float* to = b.dq + (first + r / b.group) * b.q_stride + r % b.group * b.head_dim;
    blocks(b.head_dim,
           [&](std::int64_t i, auto, auto put) { put(to + i, load(s.dq + r * dim + i)); });
  }
}

}  // namespace

void attention_backward(const AttentionBackward& b) {
  const std::int64_t n = round_up(b.num_keys), dim = round_up(b.head_dim);
  const Parts parts(b, n, dim);
  to_panels(b.keys, n, dim, parts.key_panels);
  to_panels(b.values, n, dim, parts.value_panels);
  for (std::int64_t first = 0; first < b.rows; first += kBackwardRows) {
    block(b, first, b.rows - first < kBackwardRows ? b.rows - first : kBackwardRows, dim, parts);
  }
}

}  // namespace qed::ops::QED_ISA
