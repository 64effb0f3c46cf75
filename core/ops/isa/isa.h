#pragma once

// The kernels of one instruction set, in a namespace of its name: QED_ISA, from the build. What
// each computes is said in cpu_kernels.h.

#include "core/ops/cpu_kernels.h"

namespace qed::ops::QED_ISA {

void gemm(const PackedGemm& g);
void pack(const float* a, std::int64_t a_row, std::int64_t a_col, std::int64_t rows,
          std::int64_t depth, float* packed);
void turn(const float* from, std::int64_t from_row, float* to, std::int64_t to_row);

void rms_norm(const float* x, const float* weight, float* y, float* rstd, std::int64_t rows,
              std::int64_t dim, float eps);
void rms_norm_backward(const float* dy, const float* x, const float* weight, const float* rstd,
                       const float* dx_before, float* dx, float* dweight, std::int64_t rows,
                       std::int64_t dim);
void swiglu(const float* in, float* out, std::int64_t rows, std::int64_t dim);
void swiglu_backward(const float* dout, const float* in, float* din, std::int64_t rows,
                     std::int64_t dim);
void rope(float* x, std::int64_t stride, const std::int64_t* position, const float* cos,
          const float* sin, std::int64_t rows, std::int64_t heads, std::int64_t dim,
          float direction);

void attention(const AttentionTile& tile);
void attention_backward(const AttentionBackward& rows);

RowSoftmax row_softmax(const float* logits, std::int64_t n, float inv_temperature);
float row_entropy(const float* logits, std::int64_t n, float inv_temperature, RowSoftmax s);
void row_probs(const float* logits, std::int64_t n, float inv_temperature, RowSoftmax s,
               float* probs);

bool row_block_max(const float* x, std::int64_t n, float* block_max);
double row_sum(const float* x, std::int64_t n);
double row_sum_squares(const float* x, std::int64_t n);

void adamw(float* w, const float* grad, float* m, float* v, std::int64_t n, float lr, float beta1,
           float beta2, float eps, float weight_decay, float bias1, float bias2, float grad_scale);
void round_bfloat16(const float* from, std::uint16_t* to, std::int64_t n);

extern const CpuKernels table;

}  // namespace qed::ops::QED_ISA
