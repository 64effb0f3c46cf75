#include "core/ops/isa/isa.h"

#define QED_ISA_TEXT_OF(name) #name
#define QED_ISA_TEXT(name) QED_ISA_TEXT_OF(name)

namespace qed::ops::QED_ISA {

const CpuKernels table = {.isa = QED_ISA_TEXT(QED_ISA),
                          .gemm_rows = QED_ISA_ROWS,
                          .gemm = &gemm,
                          .pack = &pack,
                          .turn = &turn,
                          .rms_norm = &rms_norm,
                          .rms_norm_backward = &rms_norm_backward,
                          .swiglu = &swiglu,
                          .swiglu_backward = &swiglu_backward,
                          .rope = &rope,
                          .attention = &attention,
                          .attention_backward = &attention_backward,
                          .row_softmax = &row_softmax,
                          .row_entropy = &row_entropy,
                          .row_probs = &row_probs,
                          .row_block_max = &row_block_max,
                          .row_sum = &row_sum,
                          .row_sum_squares = &row_sum_squares,
                          .adamw = &adamw,
                          .round_bfloat16 = &round_bfloat16};

}  // namespace qed::ops::QED_ISA
