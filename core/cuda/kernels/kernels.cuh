#pragma once

// The launch functions that table.cu puts into the table; see kernel_args.h.

#include "core/cuda/kernel_args.h"

namespace qed::cuda {

std::int32_t rms_norm(const RmsNormArgs& args, void* stream);
std::int32_t swiglu(const SwigluArgs& args, void* stream);
std::int32_t embedding(const EmbeddingArgs& args, void* stream);
std::int32_t rope(const RopeArgs& args, void* stream);
std::int32_t attention(const AttentionArgs& args, void* stream);
std::int32_t draw(const DrawArgs& args, void* stream);
std::int32_t sum_squares(const SumSquaresArgs& args, void* stream);
std::int32_t adamw(const AdamwArgs& args, void* stream);

}  // namespace qed::cuda
