#pragma once

// The launch functions that table.cu puts into the table; see kernel_table.h.

#include "core/cuda/kernel_table.h"

namespace qed::cuda {

std::int32_t rms_norm(const RmsNormArgs& args, void* stream);
std::int32_t gemm(const GemmArgs& args, void* stream);
std::int32_t swiglu(const SwigluArgs& args, void* stream);
std::int32_t embedding(const EmbeddingArgs& args, void* stream);
std::int32_t rope(const RopeArgs& args, void* stream);
std::int32_t attention(const AttentionArgs& args, void* stream);
std::int32_t draw(const DrawArgs& args, void* stream);
std::int32_t convert(const ConvertArgs& args, void* stream);
std::int32_t sum_squares(const SumSquaresArgs& args, void* stream);
std::int32_t adamw(const AdamwArgs& args, void* stream);
std::int32_t column_sum(const ColumnSumArgs& args, void* stream);
std::int32_t attention_backward(const AttentionBackwardArgs& args, void* stream);
std::int32_t token_logp(const TokenLogpArgs& args, void* stream);
std::int32_t token_logp_backward(const TokenLogpBackwardArgs& args, void* stream);
std::int32_t rms_norm_backward(const RmsNormBackwardArgs& args, void* stream);
std::int32_t head_norm(const HeadNormArgs& args, void* stream);
std::int32_t head_norm_backward(const HeadNormBackwardArgs& args, void* stream);
std::int32_t swiglu_backward(const SwigluBackwardArgs& args, void* stream);
std::int32_t scatter_rows(const ScatterRowsArgs& args, void* stream);

}  // namespace qed::cuda
