#include "core/cuda/kernels/elements.h"
#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"
#include "core/cuda/kernels/rms_norm.h"

namespace qed::cuda {

std::int32_t rms_norm(const RmsNormArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch_blocks(RmsNormBody<Bfloat16>{args}, args.rows, stream)
                                 : launch_blocks(RmsNormBody<float>{args}, args.rows, stream);
}

std::int32_t swiglu(const SwigluArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch_elements(SwigluBody<Bfloat16>{args}, stream)
                                 : launch_elements(SwigluBody<float>{args}, stream);
}

std::int32_t embedding(const EmbeddingArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch_elements(EmbeddingBody<Bfloat16>{args}, stream)
                                 : launch_elements(EmbeddingBody<float>{args}, stream);
}

std::int32_t rope(const RopeArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch_elements(RopeBody<Bfloat16>{args}, stream)
                                 : launch_elements(RopeBody<float>{args}, stream);
}

}  // namespace qed::cuda
