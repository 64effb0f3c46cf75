#pragma once

// The CPU kernels: plain C++ on float32 arrays, compiled once for each instruction set and chosen
// at run time. Each output is added up in one fixed order that depends on nothing but its own
// inputs: not on the number of rows, on threads, or on how rows are cut into calls. That is what
// makes log-probs of rollout and training equal to the bit. Results are equal between AVX2 and
// AVX-512.
//
// Every kernel works on the caller's thread and on a range that the caller chose; callers cut work
// with parallel_for. No kernel allocates.

#include "core/ops/cpu_attention.h"
#include "core/ops/panels.h"

#include <cstdint>
#include <span>

namespace qed::ops {

// Rows of A that a gemm takes together: blocks of `gemm_rows`, and what is left over in a block of
// tile_width(left) rows. A block is stored as [depth][width], rows that are not there as 0.
inline constexpr std::int64_t tile_width(std::int64_t left, std::int64_t gemm_rows) {
  std::int64_t width = 1;
  while (width < left && width < gemm_rows) width *= 2;
  return width < gemm_rows ? width : gemm_rows;
}

// C[i][j] = start + sum over k of A[i][k] * B[k][j], k ascending, one chain of fused multiply-adds
// in float32. The start is C[i][j] itself with `accumulate`, else bias[j], else 0.
struct PackedGemm {
  std::int64_t rows, cols, depth;  // i, j, k
  const float* a;                  // blocks, as pack() writes them; with `a_step`, A^T in place:
  std::int64_t a_step = 0;         // A[i][k] at a[k * a_step + i], the rows whole blocks
  // B[k][16 p + l] at b[p * b_panel + k * b_depth + l]; one of the two types, the other is null.
  const float* b;
  const std::uint16_t* b_bfloat16;
  std::int64_t b_panel, b_depth;
  float* c;  // C[i][16 p + l] at c[i * c_row + p * c_panel + l], l < 16 only where
  std::int64_t c_row, c_panel;  // 16 p + l < cols
  const float* bias = nullptr;  // [cols rounded up to 16], or null
  bool accumulate = false;
};

inline constexpr std::int64_t kMaxBlock = 64;  // numbers that row_block_max takes together

inline constexpr std::int64_t num_max_blocks(std::int64_t n) {
  return (n + kMaxBlock - 1) / kMaxBlock;
}

// Log-probs of one row of logits, at inverse temperature `inv_temperature`.
struct RowSoftmax {
  float max;  // of the scaled logits
  float sum;  // of exp(scaled - max)
};

struct CpuKernels {
  const char* isa;         // "avx512", "avx2" or "generic"
  std::int64_t gemm_rows;  // rows of a block of A

  void (*gemm)(const PackedGemm& g);
  // Writes A[i][k] = a[i * a_row + k * a_col] as blocks, one after another.
  void (*pack)(const float* a, std::int64_t a_row, std::int64_t a_col, std::int64_t rows,
               std::int64_t depth, float* packed);
  // to[j * to_row + i] = from[i * from_row + j] for i, j < 16.
  void (*turn)(const float* from, std::int64_t from_row, float* to, std::int64_t to_row);

  // y = x / sqrt(mean(x^2) + eps) * weight, per row of `dim`; rstd [rows] is kept for the backward.
  void (*rms_norm)(const float* x, const float* weight, float* y, float* rstd, std::int64_t rows,
                   std::int64_t dim, float eps);
  // dx = the gradient, plus `dx_before` [rows, dim] where it is not null; adds to dweight [dim].
  void (*rms_norm_backward)(const float* dy, const float* x, const float* weight, const float* rstd,
                            const float* dx_before, float* dx, float* dweight, std::int64_t rows,
                            std::int64_t dim);

  // out = silu(gate) * up; in [rows, 2 dim] = gate | up.
  void (*swiglu)(const float* in, float* out, std::int64_t rows, std::int64_t dim);
  void (*swiglu_backward)(const float* dout, const float* in, float* din, std::int64_t rows,
                          std::int64_t dim);

  // Rotates the halves of each head in place; direction -1 undoes it. x [rows, heads * dim] with
  // `stride` floats from row to row; cos, sin [positions, dim / 2].
  void (*rope)(float* x, std::int64_t stride, const std::int64_t* position, const float* cos,
               const float* sin, std::int64_t rows, std::int64_t heads, std::int64_t dim,
               float direction);

  // out[r] = softmax(scale * q[r] K^T) V over the row's own keys. A row's result does not depend on
  // the rows beside it.
  void (*attention)(const AttentionTile& tile);
  void (*attention_backward)(const AttentionBackward& rows);

  // Softmax statistics of n logits.
  RowSoftmax (*row_softmax)(const float* logits, std::int64_t n, float inv_temperature);
  // Entropy of the distribution that `s` describes, in nats.
  float (*row_entropy)(const float* logits, std::int64_t n, float inv_temperature, RowSoftmax s);
  // probs[i] = exp(logits[i] * inv_temperature - s.max) / s.sum.
  void (*row_probs)(const float* logits, std::int64_t n, float inv_temperature, RowSoftmax s,
                    float* probs);

  // block_max[b] = the largest of x[64 b .. 64 b + 63], or of what the row has of them. Returns
  // true when every number of the row is finite.
  bool (*row_block_max)(const float* x, std::int64_t n, float* block_max);
  // The sum in double: sixteen chains, then a fixed tree.
  double (*row_sum)(const float* x, std::int64_t n);
  // The sum of squares, in the same order.
  double (*row_sum_squares)(const float* x, std::int64_t n);

  // One AdamW step (Loshchilov & Hutter 2019, as torch.optim.AdamW) on n numbers. grad_scale is the
  // clip; bias1 = 1 - beta1^t, bias2 = 1 - beta2^t.
  void (*adamw)(float* w, const float* grad, float* m, float* v, std::int64_t n, float lr,
                float beta1, float beta2, float eps, float weight_decay, float bias1, float bias2,
                float grad_scale);
  // to[i] = from[i] as a bfloat16, to nearest, ties to even.
  void (*round_bfloat16)(const float* from, std::uint16_t* to, std::int64_t n);
};

// The tables that this CPU can run, the best one last. [any]
std::span<const CpuKernels* const> all_kernels();

// The best table for this CPU. QED_ISA=avx512|avx2|generic asks for another; Error when this CPU
// lacks it. [any]
const CpuKernels& cpu_kernels();

}  // namespace qed::ops
